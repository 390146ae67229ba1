"""Binary files made from the descriptions of their formats: what no real file of the set shows."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity, SpectrumRole
from batchlab.spectra._model import Spectrum
from batchlab.spectra._read._formats import sniff

Y = np.array([1.0, -2.5, 3.75, 100.0, 0.5])


def read(data: bytes, name: str = "made.bin") -> tuple[Spectrum, ...]:
    told = sniff(data, Path(name))
    assert told is not None
    return told.read(Path(name), data)


def spc(
    curves: list[np.ndarray],
    *,
    order: str = "<",
    flags: int = 0,
    exponent: int = -128,
    codes: tuple[int, int] = (3, 2),
    axes: list[np.ndarray] | None = None,
    points: int | None = None,
    labels: bytes = b"",
) -> bytes:
    """A new SPC file; its intensities as floats, or as integers under an exponent."""
    points = len(curves[0]) if points is None else points
    head = bytearray(512)
    struct.pack_into(
        f"{order}BBBbIddIBB",
        head,
        0,
        flags,
        0x4B if order == "<" else 0x4C,
        4,
        exponent,
        points,
        400.0,
        408.0,
        len(curves),
        *codes,
    )
    head[88:93] = b"title"
    head[218 : 218 + len(labels)] = labels
    body = b""
    if flags & 0x80 and not flags & 0x40:
        assert axes is not None
        body += axes[0].astype(f"{order}f4").tobytes()
    for number, curve in enumerate(curves):
        body += struct.pack(f"{order}BbHfffIIf4x", 0, exponent, number, float(number), 0, 0, len(curve), 0, 0)
        if flags & 0x40:
            assert axes is not None
            body += axes[number].astype(f"{order}f4").tobytes()
        if exponent == -128:
            body += curve.astype(f"{order}f4").tobytes()
        else:
            bits = 16 if flags & 1 else 32
            body += np.round(np.ldexp(curve, bits - exponent)).astype(f"{order}i{bits // 8}").tobytes()
    return bytes(head) + body


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("flags", "exponent"), [(0, -128), (0, 8), (1, 8)])
def test_spc_numbers_in_either_byte_order_as_floats_and_integers(order: str, flags: int, exponent: int) -> None:
    (one,) = read(spc([Y], order=order, flags=flags, exponent=exponent))
    assert one.intensity == pytest.approx(Y, abs=2.0**-8)
    assert one.axis.tolist() == [400, 402, 404, 406, 408]
    assert (one.axis_kind, one.axis_unit, one.quantity) == (AxisKind.WAVELENGTH, "nm", Quantity.ABSORBANCE)
    assert one.metadata["title"] == "title"


def test_spc_axes_written_once_and_for_each_subfile() -> None:
    x = np.array([400.0, 401.0, 405.0, 410.0, 420.0])
    (one,) = read(spc([Y], flags=0x80, axes=[x]))
    assert one.axis.tolist() == x.tolist()
    two = read(spc([Y, Y[:3]], flags=0xC4, axes=[x, x[:3] + 1]))
    assert [each.axis.tolist() for each in two] == [x.tolist(), (x[:3] + 1).tolist()]
    assert [each.name for each in two] == ["made 1", "made 2"]


def test_spc_labels_speak_where_the_codes_do_not() -> None:
    (one,) = read(spc([Y], flags=0x20, codes=(0, 0), labels=b"Raman shift (cm-1)\0Counts\0"))
    assert (one.axis_kind, one.quantity) == (AxisKind.RAMAN_SHIFT, Quantity.COUNTS)


def test_spc_headers_that_lie_cost_no_memory() -> None:
    for data in (spc([Y], points=4_000_000_000), spc([Y], flags=0x80, axes=[Y], points=2_000_000_000)):
        with pytest.raises(DataError) as refused:
            read(data)
        assert refused.value.reason == "truncated"


def old_spc(curves: list[np.ndarray], exponent: int = 8) -> bytes:
    """An old SPC file: the halves of each integer the other way round."""
    head = bytearray(224)
    flags = 0x04 if len(curves) > 1 else 0
    struct.pack_into("<BBhfffBB", head, 0, flags, 0x4D, exponent, float(len(curves[0])), 400.0, 408.0, 1, 2)
    body = b""
    for number, curve in enumerate(curves):
        body += struct.pack("<BbHfffIIf4x", 0, exponent, number, float(number), 0, 0, 0, 0, 0)
        whole = np.round(np.ldexp(curve, 32 - exponent)).astype("<i4").view("<u2").reshape(-1, 2)
        body += whole[:, ::-1].tobytes()
    return bytes(head) + body


def test_the_old_spc_form_and_one_that_was_cut() -> None:
    one, two = read(old_spc([Y, -Y]))
    assert one.intensity == pytest.approx(Y, abs=1e-6) and two.intensity == pytest.approx(-Y, abs=1e-6)
    with pytest.raises(DataError) as refused:
        read(old_spc([Y, -Y])[:-4])
    assert refused.value.reason == "truncated"


def wdf(spectra: np.ndarray, *, points: int | None = None, unit: int = 1) -> bytes:
    """A WiRE file of several spectra at positions along X."""
    count, given = spectra.shape
    head = bytearray(512)
    head[:4] = b"WDF1"
    struct.pack_into("<Q", head, 8, 512)
    struct.pack_into("<IQQI", head, 60, given if points is None else points, count, count, 3)
    struct.pack_into("<If", head, 152, 6, 1e7 / 785.0)

    def block(name: bytes, body: bytes) -> bytes:
        return name + struct.pack("<IQ", 0, 16 + len(body)) + body

    x = np.linspace(1800.0, 200.0, given).astype("<f4")
    origins = struct.pack("<I", 1) + struct.pack("<II16s", 3, 5, b"X") + np.arange(count).astype("<f8").tobytes()
    return (
        bytes(head)
        + block(b"DATA", spectra.astype("<f4").tobytes())
        + block(b"XLST", struct.pack("<II", 1, unit) + x.tobytes())
        + block(b"ORGN", origins)
    )


def test_a_wire_map_is_a_spectrum_for_each_position() -> None:
    values = np.arange(12.0).reshape(3, 4)
    spectra = read(wdf(values))
    assert [each.intensity.tolist() for each in spectra] == values.tolist()
    assert [each.metadata["X"] for each in spectra] == ["0", "1", "2"]
    assert float(spectra[0].metadata["laser_nm"]) == pytest.approx(785.0, abs=1e-3)
    assert spectra[0].axis[0] == 1800.0
    assert read(wdf(values, unit=3))[0].axis_kind is AxisKind.WAVELENGTH
    with pytest.raises(DataError):
        read(wdf(values, points=4_000_000_000))


def opus(blocks: list[tuple[int, bytes]]) -> bytes:
    """An OPUS file of blocks of a type and a content."""
    start = 24 + 12 * len(blocks)
    directory, body = b"", b""
    for word, content in blocks:
        directory += struct.pack("<III", word, len(content) // 4, start + len(body))
        body += content
    return b"\x0a\x0a\xfe\xfe" + struct.pack("<dIII", 920622.0, 24, 40, len(blocks)) + directory + body


def parameters(**values: float | str) -> bytes:
    body = b""
    for key, value in values.items():
        if isinstance(value, int):
            raw, kind = struct.pack("<i", value), 0
        elif isinstance(value, float):
            raw, kind = struct.pack("<d", value), 1
        else:
            raw, kind = value.encode() + b"\0" * (4 - len(value) % 4), 2
        body += key.encode() + b"\0" + struct.pack("<HH", kind, len(raw) // 2) + raw
    return body + b"END\0" + bytes(4)


def word(of: int, curve: int, is_parameters: int = 0) -> int:
    return 3 | of << 2 | is_parameters << 4 | curve << 10


def test_opus_curves_have_the_scale_and_axis_of_their_own_parameters() -> None:
    curve = np.array([0.1, 0.2, 0.4], dtype="<f4").tobytes()
    raman = word(3, 10), word(3, 10, 1)
    about = parameters(NPT=3, FXV=3000.0, LXV=100.0, CSF=2.0, DXU="WN", DAT="24/12/2020", TIM="10:00:00")
    ifg = word(1, 2), word(1, 2, 1)
    data = opus(
        [
            (ifg[0], curve),
            (ifg[1], about),
            (raman[0], curve),
            (raman[1], about),
            (word(0, 0, 3), parameters(SNM="soil")),
        ]
    )
    result, interferogram = read(data)
    assert result.intensity == pytest.approx([0.2, 0.4, 0.8], rel=1e-6)
    assert (result.axis_kind, result.axis[0], result.axis[-1]) == (AxisKind.RAMAN_SHIFT, 3000.0, 100.0)
    assert result.metadata["title"] == "soil" and result.metadata["date"] == "2020-12-24 10:00:00"
    assert (interferogram.quantity, interferogram.role) == (Quantity.INTERFEROGRAM, SpectrumRole.IGNORE)


def test_opus_without_its_end_is_refused_where_a_curve_is_cut_and_told_else() -> None:
    curve = np.array([0.1, 0.2, 0.4], dtype="<f4").tobytes()
    about = parameters(NPT=3, FXV=3000.0, LXV=100.0, CSF=1.0, DXU="WN")
    beam, result, notes = (word(1, 1), word(1, 1, 1)), (word(3, 4), word(3, 4, 1)), word(0, 0, 3)
    data = opus([(beam[0], curve), (beam[1], about), (result[0], curve), (result[1], about), (notes, bytes(80))])
    whole = read(data)
    assert [each.quantity for each in whole] == [Quantity.ABSORBANCE, Quantity.SINGLE_BEAM]
    for lost in (81, 100, 80 + len(about) + 1, 80 + len(about) + 9):
        with pytest.raises(DataError) as refused:
            read(data[:-lost])
        assert refused.value.reason == "truncated"
    cut = read(data[:-40])
    assert np.array_equal(cut[0].intensity, whole[0].intensity)
    assert all("the file is truncated" in each.warnings[0] for each in cut)
    assert not whole[0].warnings


def test_opus_counts_beyond_the_block_are_damage() -> None:
    about = parameters(NPT=2_000_000_000, FXV=1.0, LXV=2.0, CSF=1.0)
    with pytest.raises(DataError) as refused:
        read(opus([(word(3, 4), bytes(400)), (word(3, 4, 1), about)]))
    assert refused.value.reason == "damaged"
    with pytest.raises(DataError) as refused:
        read(opus([(word(0, 0, 3), parameters(SNM="nothing"))]))
    assert refused.value.reason == "not-a-spectrum"


def labspec(rows: list[str], *, doctype: str = "") -> bytes:
    lines = "".join(f"<LSX_Row>{row}</LSX_Row>" for row in rows)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{doctype}<LSX_Data><LSX_Tree><LSX ID="0x7A74D9D6"><LSX ID="0x7B697861">'
        '<LSX ID="0x0"><LSX ID="0x7C696E75">Cnt</LSX></LSX><LSX ID="0x1"><LSX ID="0x7D6CD4DB">500 510 520</LSX>'
        '<LSX ID="0x6D707974">Spectr</LSX><LSX ID="0x7C696E75">nm</LSX></LSX></LSX></LSX></LSX_Tree>'
        f"<LSX_Matrix>{lines}</LSX_Matrix></LSX_Data>"
    ).encode()


def test_a_labspec_map_is_a_spectrum_for_each_row() -> None:
    one, two = read(labspec(["1 2 3", "4 5 6"]))
    assert (one.axis_unit, one.quantity, two.intensity.tolist()) == ("nm", Quantity.COUNTS, [4.0, 5.0, 6.0])


@pytest.mark.parametrize(
    "data",
    [
        labspec(["1 2"]),
        labspec(["1 2 x"]),
        labspec([]),
        labspec(["&a;"], doctype='<!DOCTYPE x [<!ENTITY a "1 2 3">]>'),
        labspec(["1 2 3"])[:-20],
    ],
)
def test_a_labspec_file_that_is_not_whole_is_refused(data: bytes) -> None:
    with pytest.raises(DataError) as refused:
        read(data)
    assert refused.value.reason in ("damaged", "truncated", "not-a-spectrum")
