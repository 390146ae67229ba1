"""A file's text without what belongs to its owner: no digit, no value, no name, path, date or place.

What is kept is what an instrument's maker wrote: the words of the field, keys, the shape of numbers. A free line keeps
only the words we know; so a name that stands somewhere alone cannot pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from batchlab.spectra._read._observation import Observation
from batchlab.spectra._read._vocabulary import Role, meaning, unit_of

__all__ = ["Mask", "is_foreign", "masked_digits", "split_cells"]

_DIGITS = re.compile(r"\d")
_NUMBER = re.compile(r"[\s\"]*[+\-\u2212]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?[\s\"]*")
_NOT_A_NUMBER = re.compile(r"[\s\"]*[+-]?(?:nan|inf|infinity|n/a|na|-+|\*+|\?+)?[\s\"]*", re.IGNORECASE)
_OF_SOMEBODY = re.compile(
    r"(?<![\w-])(?=(?:[A-Za-z-]*\d){3})(?=[\d-]*[A-Za-z])[A-Za-z\d-]{8,}"  # a serial number
    r"|[A-Za-z]:[\\/]\S*|\\\\\S+|(?<![^\s\"'=:(])~?/[\w.-]+(?:/[\w.-]*)+"
    r"|\b\w+://\S+|\S+@\S+\.\w+|\S+\.[A-Za-z]\w{2}\b(?=\s|$|\")"
)
_KEY = re.compile(r"^(?P<mark>\s*(?:#+|\$|//|%|!|\")?\s*)(?P<key>[^:=;\t]{1,60}?)(?P<sign>\s*[:=\t]\s*)(?P<value>.*)$")
_KEY_BEFORE = {
    sign: re.compile(rf"^(?P<mark>\s*\"?)(?P<key>[^{sign}]{{1,60}}?)(?P<sign>\s*{sign}\s*)(?P<value>.*)$")
    for sign in ",;"
}
_CLOCK = re.compile(r"\d\s*:$")  # the colon of a time of day
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SECTION = re.compile(r"\s*(?:\[[^\]\d]{1,40}\]|[>=*\-#]{3,}[^<>=*#\d]{1,60}[<=*\-#]{3,})\s*")
_TEXT, _AMOUNT, _NAME = "<text>", "<number>", "<name>"
_MANY_COLUMNS = 6

_ALLOWED_KEY = re.compile(
    r"(?:[xy]|axis|data)?[ _-]?units?(?: of \w+)?|[xy][ _-]?(?:axis|label|mode)(?: mode| unit| label)?"
    r"|technique|data ?type|spectrum ?type|measurement ?(?:type|mode)|photometric ?mode|spectral ?(?:type|mode)"
    r"|(?:laser|excitation)(?:[ _-]?(?:wave ?length|line))?(?: ?[\[(]?nm[\])]?)?"
    r"|n ?points|npts|(?:number|no\.?|#) ?of ?(?:data ?)?(?:points|pixels)|data ?points|points|pixels"
    r"|einheit|abszisse|ordinate|abscissa|unidad(?:es)?|unit[ée]s?",
    re.IGNORECASE,
)
# A key that says something of a person, a specimen, a place or a day, in a row that could be a header.
_PRIVATE_KEY = re.compile(
    r"\b(?:sample|probe|muestra|[ée]chantillon|user|benutzer|usuario|operator|analyst|author|owner|origin|name|title"
    r"|titel|comment|kommentar|remark|note|description|serial|instrument id|s/?n|date|datum|fecha|time|zeit|hora"
    r"|timestamp|path"
    r"|file|datei|archivo|folder|directory|gps|latitude|longitude|lat|lon|altitude|location|project|company|patient"
    r"|customer|lot|batch|id)\b",
    re.IGNORECASE,
)
_KNOWN = """
    a abs abscissa absorbance absorbancia absorbanz absorption achse acquired acquisition acquisitions and
    anfang anzahl archivo ascii assorbanza autoset average averaged averages averaging axis background baseline
    beam begin beginn beginning bereich binary block blocks blue boxcar calibration channel channels column
    columns comienza comienzo common component comprimento correct corrected correction counts csv curve dados
    dark data daten dati datos de del delimited delta des desplazamiento detector device dispersion données du
    dunkel début ech einheit electric electrical emission empty enabled end ende energie energy energía
    espectrais espectral espectrales espectro espectros ev excitation experiment export exported external
    extinktion extinktionen factor false fichier field file filter fin final fine first fluorescence for format
    fourier frequency from ftir full function gain gerät grating header in index information infos infrared
    inicio inizio instrument integration integrationszeit intensidad intensities intensity intensità intensität
    intensité interferogram interval ir kopf kopfzeile kubelka la label lamp laser last le length les light line
    linear linearity log longitud longueur los lunghezza maximum measured measurement memory messung messwerte
    mesure method microns min minimum mittelung mode module monitor muestra multi munk nanometer nanometers nir
    nm no node nombre non non-linearity none nonlinearity normalized nr number numero número of off on onda onde
    ondes one only optical ordinate output param parameter parameters part percent photon pixel pixels plate
    plot point points position power present probe processed properties punkte r raman raman-verschiebung range
    rate ratio raw readings reference referencia referenz reflectance reflectancia reflection reflectivity
    reflexion relative report resolution result results riflettanza row rows réflectance référence sample
    sampled samples scan scans section sensor set settings señal shift signal single slit slot smoothing
    software spalte spectra spectral spectrale spectrales spectre spectres spectrometer spectrophotometer
    spectroscopy spectrum speed spektraldaten spektren spektrum spettro start started state step stop stray
    strobe subtracted summary t table temperature termina text the time to total transmission transmitancia
    transmittance trasmittanza trigger true two type unidad unidades unit units unité used uv valor valores
    value values verschiebung version vis visible wave wavelength wavelengths wavenumber wavenumbers wellenlänge
    wellenlängen wellenzahl wellenzahlen wert werte white width with x xaxis xy xydata y yaxis yes z zeile
    échantillon échelle データ データ点数 光谱 単位 反射 反射率 吸光度 吸收 开始 強度 强度
    数据 波数 波數 波長 波长 測定 结束 透射 透過率
"""
_WORDS = frozenset(_KNOWN.split())


@dataclass(frozen=True, slots=True)
class Mask:
    """The rules of masking for one file.

    Attributes
    ----------
    delimiter
        What parts the cells of its table; a blank stands for any run of them.
    columns
        Of its table.
    own
        Words of the file's own name, which are no instrument's.
    key_sign
        A comma or a semicolon, where the keys of its preamble end in one.
    """

    delimiter: str
    columns: int
    own: frozenset[str]
    key_sign: str

    @classmethod
    def of(cls, observation: Observation) -> Mask:
        """The rules for this file."""
        best = observation.hypotheses[0] if observation.hypotheses else None
        own = {word.casefold() for word in re.split(r"[\W\d_]+", observation.path.stem) if len(word) >= 3}
        return cls(
            delimiter=best.delimiter if best else ",",
            columns=best.columns if best else 0,
            own=frozenset(own - _WORDS),
            key_sign={"comma": ",", "semicolon": ";"}.get(observation.preamble_style, ""),
        )

    def preamble_line(self, line: str) -> str:
        """A line above the table: a key with what kind of value it has, or the words we know of a free line."""
        line = line.replace("\x00", "")
        if _SECTION.fullmatch(line):
            return self._scrubbed(line)
        found = (_KEY_BEFORE[self.key_sign].match(line) if self.key_sign else None) or _KEY.match(line)
        if found is None or not _WORD.search(found["key"]) or _CLOCK.search(found["key"] + found["sign"]):
            return self.free_line(line)
        key, value = found["key"].strip(), found["value"]
        kept = self._scrubbed(value) if _ALLOWED_KEY.fullmatch(key) else _kind(value)
        return f"{found['mark']}{self.key(key)}{found['sign']}{kept}"

    def key(self, key: str) -> str:
        """A key of the preamble; one of many words may be a sentence, and keeps those of the field."""
        words = _WORD.findall(key)
        if len(words) > 3 and 2 * sum(self._known(word) for word in words) < len(words):
            key = self.free_line(key)
        return self._scrubbed(key)[:40]

    def free_line(self, line: str) -> str:
        """A line of running text: its words of the field and its signs."""
        line = masked_digits(_OF_SOMEBODY.sub(_TEXT, line.replace("\x00", "")))
        line = _WORD.sub(lambda word: word[0] if self._known(word[0]) else _TEXT, line.replace(_TEXT, "\x00"))
        line = line.replace("\x00", _TEXT)
        return re.sub(rf"{_TEXT}(?:[\s,._&+/-]*{_TEXT})+", _TEXT, line)

    def header_line(self, line: str) -> str:
        """A line of column names; of a wide table, whose columns are samples, only words of the field."""
        cells = split_cells(line, self.delimiter)
        if len(cells) < 2 or (len(cells) == 2 and _PRIVATE_KEY.search(cells[0])):
            return self.preamble_line(line)
        return self._joined([self._name(cell) for cell in cells])

    def data_line(self, line: str) -> str:
        """A row: each digit a nine, each word gone."""
        return self._joined([_figures(cell) for cell in split_cells(line, self.delimiter)])

    def _name(self, cell: str) -> str:
        bare = cell.strip().strip('"#').strip()
        if not bare or _NUMBER.fullmatch(bare):
            return masked_digits(cell)
        known = meaning(bare)
        if known.role is not Role.UNKNOWN or known.unit or unit_of(bare.strip("[]() ")):
            return self._scrubbed(cell)[:40]
        if self.columns > _MANY_COLUMNS or re.search(r"[\d_@\\/]", bare) or self._own_words(bare):
            return _NAME
        return self._scrubbed(cell)[:40]

    def _own_words(self, text: str) -> bool:
        return any(word.casefold() in self.own for word in re.split(r"[\W\d_]+", text))

    def _scrubbed(self, text: str) -> str:
        text = masked_digits(_OF_SOMEBODY.sub(_TEXT, text))
        return _WORD.sub(lambda word: _TEXT if word[0].casefold() in self.own else word[0], text)

    def _known(self, word: str) -> bool:
        return not is_foreign(word) and word.casefold() not in self.own

    def _joined(self, cells: list[str]) -> str:
        """The cells of a line; of many, the first and the last."""
        if len(cells) > 8:
            cells = [*cells[:5], "<more>", cells[-1]]
        return (" " if self.delimiter == " " else self.delimiter).join(cells)


def masked_digits(text: str) -> str:
    """Put a nine in the place of every digit, whatever script it is of."""
    return _DIGITS.sub("9", text)


def is_foreign(word: str) -> bool:
    """Whether a word is none of the field's that we know."""
    return word.casefold() not in _WORDS


def split_cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line; a blank parts at any run of blanks."""
    return line.split() if delimiter == " " else line.split(delimiter)


def _kind(value: str) -> str:
    """What kind of value stands there."""
    bare = value.strip().strip('"').rstrip(";,")
    if not bare:
        return ""
    return _AMOUNT if _NUMBER.fullmatch(bare) or _is_amount(bare.split()) else _TEXT


def _is_amount(words: Iterable[str]) -> bool:
    first, *rest = words
    return bool(_NUMBER.fullmatch(first)) and len(rest) == 1 and unit_of(rest[0].strip("[]()")) is not None


def _figures(cell: str) -> str:
    return masked_digits(cell) if _NUMBER.fullmatch(cell) or _NOT_A_NUMBER.fullmatch(cell) else _TEXT
