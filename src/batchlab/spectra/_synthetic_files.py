"""Raman spectra in the files of ten programs, from comma to Galactic SPC: each with what is true of its layout."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from batchlab.spectra._model import Array, AxisKind, Quantity, Spectrum, Technique

__all__ = ["FILES", "LASER_NM", "FileKind"]

LASER_NM = 785.0
_DARK = 1100.0  # counts of a detector that sees nothing
_SPC_RAMAN, _SPC_RAMAN_SHIFT, _SPC_COUNTS, _SPC_FLOATS = 11, 13, 4, -128


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """How one program writes a spectrum, and what a reader that is right says of its files.

    Attributes
    ----------
    words
        The layout for people.
    suffix
        What its files' names end in.
    layout
        ``columns`` or ``rows``, or the name of a format of its own.
    delimiter, decimal
        Of a text table, in the words of a `Plan`; empty for a format of its own.
    points
        How many each file has.
    first, last
        The axis as written, falling where the program writes it so; in cm-1, or in nm where `in_nm` says so.
    write
        From a spectrum on `axis` to the file's bytes.
    in_nm
        Whether the axis is a wavelength.
    """

    words: str
    suffix: str
    layout: str
    delimiter: str = ""
    decimal: str = ""
    points: int
    first: float
    last: float
    write: Callable[[Spectrum], bytes]
    in_nm: bool = False

    @property
    def axis(self) -> Array:
        """Positions as the file has them."""
        return np.linspace(self.first, self.last, self.points)

    @property
    def raman_shift(self) -> Array:
        """The same positions as Raman shift in cm-1."""
        return 1e7 / LASER_NM - 1e7 / self.axis if self.in_nm else self.axis

    def file_of(self, intensity: Array, name: str) -> bytes:
        """The file that holds these intensities at the positions of `axis`."""
        spectrum = Spectrum(
            axis=self.axis,
            intensity=intensity,
            axis_kind=AxisKind.WAVELENGTH if self.in_nm else AxisKind.RAMAN_SHIFT,
            axis_unit="nm" if self.in_nm else "cm-1",
            quantity=Quantity.COUNTS,
            technique=Technique.RAMAN,
            name=name,
        )
        return self.write(spectrum)


def _text(
    head: str,
    *,
    delimiter: str,
    decimal: str = ".",
    tail: str = "",
    end: str = "\n",
    encoding: str = "utf-8",
    places: tuple[int, int] = (4, 2),
) -> Callable[[Spectrum], bytes]:
    """A table of two columns under its words."""

    def write(spectrum: Spectrum) -> bytes:
        rows = _rows((spectrum.axis, spectrum.intensity), places, delimiter)
        lines = head.format(name=spectrum.name, points=len(spectrum)).splitlines()
        text = end.join([*lines, *(row.replace(".", decimal) for row in rows), *tail.splitlines(), ""])
        return text.encode(encoding)

    return write


def _rows(columns: Sequence[Array], places: Sequence[int], delimiter: str) -> list[str]:
    form = delimiter.join(f"%.{each}f" for each in places)
    return [form % row for row in zip(*(column.tolist() for column in columns), strict=True)]


def _several_axes(spectrum: Spectrum) -> bytes:
    """Pixel, wavelength and Raman shift beside each other; dark, raw and result; the first pixels see no light."""
    blind = 40
    shift, signal = spectrum.axis, spectrum.intensity
    nm = 1e7 / (1e7 / LASER_NM - shift)
    columns = (
        np.arange(blind, blind + shift.size, dtype=np.float64),
        nm,
        shift,
        np.full(shift.size, _DARK, dtype=np.float64),
        signal + _DARK,
        signal,
    )
    unlit = [f"{pixel};    ;    ;{_DARK:.4f};{_DARK:.4f};0.0000" for pixel in range(blind)]
    head = [
        "File Version;BWRam4.11_6",
        f"Laser Wavelength;{LASER_NM:g}",
        "Integration Time(ms);3000",
        "Pixel;Wavelength;Raman Shift;Dark;Raw data #1;Dark Subtracted #1",
    ]
    return "\r\n".join([*head, *unlit, *_rows(columns, (0, 2, 2, 4, 4, 4), ";"), ""]).encode("ascii")


def _turned(spectrum: Spectrum) -> bytes:
    """All positions in one line, all intensities in the next."""
    columns = (("Raman shift (cm-1)", spectrum.axis, "%.3f"), ("Intensity (counts)", spectrum.intensity, "%.1f"))
    lines = [",".join([head, *(form % value for value in values.tolist())]) for head, values, form in columns]
    return "\n".join([*lines, ""]).encode("ascii")


def _jcamp(spectrum: Spectrum) -> bytes:
    """JCAMP-DX with ``(X++(Y..Y))``: whole numbers under a factor, ten to a line."""
    x, factor = spectrum.axis, 0.01
    y = np.rint(spectrum.intensity / factor).astype(np.int64).tolist()
    head = {
        "TITLE": spectrum.name,
        "JCAMP-DX": "4.24",
        "DATA TYPE": "RAMAN SPECTRUM",
        "ORIGIN": "made with known truth",
        "OWNER": "public domain",
        "XUNITS": "1/CM",
        "YUNITS": "COUNTS",
        "XFACTOR": 1,
        "YFACTOR": factor,
        "FIRSTX": float(x[0]),
        "LASTX": float(x[-1]),
        "NPOINTS": x.size,
        "FIRSTY": y[0] * factor,
        "XYDATA": "(X++(Y..Y))",
    }
    lines = [f"##{label}={value}" for label, value in head.items()]
    lines += [f"{x[at]:.4f} {' '.join(map(str, y[at : at + 10]))}" for at in range(0, x.size, 10)]
    return "\r\n".join([*lines, "##END=", ""]).encode("ascii")


def _spc(spectrum: Spectrum) -> bytes:
    """Galactic SPC in its new form: an even axis, given by its ends, and 32-bit floats."""
    header = bytearray(512)
    ends = float(spectrum.axis[0]), float(spectrum.axis[-1])
    struct.pack_into("<BBbbIddI", header, 0, 0, 0x4B, _SPC_RAMAN, _SPC_FLOATS, len(spectrum), *ends, 1)
    struct.pack_into("<BB", header, 28, _SPC_RAMAN_SHIFT, _SPC_COUNTS)
    comment = spectrum.name.encode("ascii")[:130]
    header[88 : 88 + len(comment)] = comment
    sub = bytearray(32)
    struct.pack_into("<b", sub, 1, _SPC_FLOATS)
    return bytes(header + sub) + spectrum.intensity.astype("<f4").tobytes()


FILES: dict[str, FileKind] = {
    "comma": FileKind(
        words="commas, a header",
        suffix=".csv",
        layout="columns",
        delimiter="comma",
        decimal="point",
        points=3200,
        first=120.0,
        last=3400.0,
        write=_text("Raman shift (cm-1),Intensity (counts)", delimiter=","),
    ),
    "semicolon": FileKind(
        words="semicolons, decimal comma, German preamble",
        suffix=".csv",
        layout="columns",
        delimiter="semicolon",
        decimal="comma",
        points=3300,
        first=100.0,
        last=3400.0,
        write=_text(
            'Gerät;"Raman Ω 785"\nProbe;{name}\n\nRaman-Verschiebung (cm-1);Intensität (counts)',
            delimiter=";",
            decimal=",",
            end="\r\n",
        ),
    ),
    "jasco": FileKind(
        words="tabs, XYDATA under keys, a trailer, falling",
        suffix=".txt",
        layout="columns",
        delimiter="tab",
        decimal="point",
        points=3301,
        first=3450.0,
        last=150.0,
        write=_text(
            "TITLE\t{name}\nDATA TYPE\tRAMAN SPECTRUM\nXUNITS\t1/CM\nYUNITS\tCOUNTS\nNPOINTS\t{points}\nXYDATA",
            delimiter="\t",
            tail="\n[Measurement Information]\nExposure\t3 sec\nLaser wavelength\t785.00 nm",
        ),
    ),
    "labspec": FileKind(
        words="tabs, #Key= preamble in Latin-1",
        suffix=".txt",
        layout="columns",
        delimiter="tab",
        decimal="point",
        points=3250,
        first=130.0,
        last=3380.0,
        write=_text(
            "#Acq. time (s)=\t10\n#Laser=\t785nm\n#Spectro (cm-¹)=\t1750\n#Détecteur=\tSyncerity\n"
            "#AxisType[0]=\tIntens\n#AxisUnit[0]=\tCnt\n#AxisType[1]=\tSpectr\n#AxisUnit[1]=\t1/cm",
            delimiter="\t",
            encoding="latin-1",
        ),
    ),
    "nanometres": FileKind(
        words="tabs, wavelength in nm",
        suffix=".txt",
        layout="columns",
        delimiter="tab",
        decimal="point",
        points=2600,
        first=793.0,
        last=1076.0,
        write=_text("Instrument\tR785\nWavelength (nm)\tIntensity (counts)", delimiter="\t", end="\r\n", places=(4, 2)),
        in_nm=True,
    ),
    "several-axes": FileKind(
        words="semicolons, three axes, dark, raw and result",
        suffix=".txt",
        layout="columns",
        delimiter="semicolon",
        decimal="point",
        points=3280,
        first=115.0,
        last=3395.0,
        write=_several_axes,
    ),
    "jcamp": FileKind(
        words="JCAMP-DX, XYDATA",
        suffix=".jdx",
        layout="JCAMP-DX",
        points=3320,
        first=3420.0,
        last=100.0,
        write=_jcamp,
    ),
    "spc": FileKind(
        words="Galactic SPC, binary",
        suffix=".spc",
        layout="SPC",
        points=3240,
        first=140.0,
        last=3380.0,
        write=_spc,
    ),
    "unicode": FileKind(
        words="tabs, UTF-16, falling",
        suffix=".txt",
        layout="columns",
        delimiter="tab",
        decimal="point",
        points=3300,
        first=3410.0,
        last=110.0,
        write=_text("Raman Shift [cm-1]\tCounts", delimiter="\t", end="\r\n", encoding="utf-16"),
    ),
    "turned": FileKind(
        words="commas, one line of positions, one of intensities",
        suffix=".csv",
        layout="rows",
        delimiter="comma",
        decimal="point",
        points=3150,
        first=3350.0,
        last=200.0,
        write=_turned,
    ),
}
"""The programs, by a short name."""
