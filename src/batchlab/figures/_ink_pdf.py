"""Ink as a PDF file of one page: lines as vectors, letters with their font, provenance inside.

All numbers on the page are whole thousandths of a point, so a line's points are turned into text all at once. The
bytes hold no time and no random name.

References
----------
.. [1] ISO 32000-1:2008, *Document management: Portable document format*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchlab.figures._decimate import Floats
from batchlab.figures._embedded import FONT_OBJECT, Embedded, embedded
from batchlab.figures._face import Face
from batchlab.figures._ink import Area, Frame, Ink, Letters, Page, Plate, Stamp, Stroke
from batchlab.figures._png import fastest_deflate
from batchlab.figures._provenance import xmp_packet

__all__ = ["print_page"]

_FINE = 1000  # numbers of the page to a point
_ROUND = 0.5523  # how far along its sides the handles of a quarter of a circle are


def print_page(page: Page, metadata: Mapping[str, str] | None = None) -> bytes:
    """The page as a PDF file. Call it within `pinned`.

    Parameters
    ----------
    metadata
        Provenance: any texts under any names; `read_provenance` gives it back.
    """
    font = embedded(page.face, {sign for ink in page.ink if isinstance(ink, Letters) for sign in ink.text})
    opacities = sorted({ink.opacity for ink in page.ink if isinstance(ink, Area | Plate)} | {1.0})
    printer = _Printer(font, page.face, opacities)
    size = b"%.6g %.6g" % (page.width, page.height)
    whole = Frame(left=0.0, bottom=0.0, right=page.width, top=page.height)
    content = [b"%g 0 0 %g 0 0 cm\n1 1 1 rg\n%b f" % (1 / _FINE, 1 / _FINE, _rectangle(whole))]
    content += map(printer.put, page.ink)
    packed = fastest_deflate()(memoryview(b"\n".join(content)))
    states = b" ".join(b"/A%d << /ca %.4g /CA %.4g >>" % (at, each, each) for at, each in enumerate(opacities))
    told = b" /Metadata %d 0 R" % (FONT_OBJECT + len(font.objects)) if metadata else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R%b >>" % told,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %b] /Contents 4 0 R /Group << /Type /Group /S /Transparency "
        b"/CS /DeviceRGB >> /Resources << /Font << /F %d 0 R >> /ExtGState << %b >> >> >>"
        % (size, FONT_OBJECT, states),
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(packed), packed),
        *font.objects,
    ]
    if metadata:
        packet = xmp_packet(metadata)
        objects.append(b"<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%b\nendstream" % (len(packet), packet))
    return _file(objects)


def _file(objects: Iterable[bytes]) -> bytes:
    """Numbered objects, and where each begins."""
    data = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(b"%010d 00000 n \n" % len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    count = len(places) + 1
    at = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, b"".join(places))
    data += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, at)
    return bytes(data)


class _Printer:
    """Ink as the words of a page."""

    def __init__(self, font: Embedded, face: Face, opacities: list[float]) -> None:
        self._font = font
        self._face = face
        self._opacities = opacities

    def put(self, ink: Ink) -> bytes:
        """Draw one thing over all others."""
        match ink:
            case Stroke():
                return self._stroke(ink)
            case Area():
                return self._area(ink)
            case Plate():
                return self._plate(ink)
            case Stamp():
                return self._stamp(ink)
            case Letters():
                return self._write(ink)

    def _stroke(self, ink: Stroke) -> bytes:
        cap, join = (2, 0) if ink.long_ends else (0, 1 if ink.dashes else 2)
        dashes = b" ".join(b"%d" % round(dash * _FINE) for dash in ink.dashes)
        head = b"%b RG %d w %d J %d j [%b] 0 d" % (_colour(ink.colour), round(ink.width * _FINE), cap, join, dashes)
        return b"q %b%b\n%bS Q" % (_clip(ink.within), head, _line(ink.x, ink.y))

    def _area(self, ink: Area) -> bytes:
        state = self._opacities.index(ink.opacity)
        return b"q %b/A%d gs %b rg\n%bf Q" % (_clip(ink.within), state, _colour(ink.colour), _line(ink.x, ink.y))

    def _plate(self, ink: Plate) -> bytes:
        box, edge = ink.frame, ink.edge
        pen = b" %b RG %d w" % (_colour(edge), _FINE) if edge else b""
        left, bottom, right, top, radius = (
            round(side * _FINE) for side in (box.left, box.bottom, box.right, box.top, ink.radius)
        )
        near = round(radius * (1 - _ROUND))
        corners = (
            *(right - radius, bottom, right - near, bottom, right, bottom + near, right, bottom + radius),
            *(right, top - radius, right, top - near, right - near, top, right - radius, top),
            *(left + radius, top, left + near, top, left, top - near, left, top - radius),
            *(left, bottom + radius, left, bottom + near, left + near, bottom, left + radius, bottom),
        )
        path = b"%d %d m\n" % (left + radius, bottom) + b"%d %d l %d %d %d %d %d %d c\n" * 4 % corners
        state = self._opacities.index(ink.opacity)
        return b"q /A%d gs %b rg%b\n%bh %b Q" % (state, _colour(ink.colour), pen, path, b"B" if edge else b"f")

    def _stamp(self, ink: Stamp) -> bytes:
        shape, cap, join = _shape(ink.symbol, ink.size)
        pen = b"%b RG %d w %d J %d j" % (_colour(ink.edge), round(ink.edge_width * _FINE), cap, join)
        if ink.face is not None:
            pen += b" %b rg" % _colour(ink.face)
        paint = b"S" if ink.face is None else b"B"
        marks = [b"q 1 0 0 1 %d %d cm %b %b Q" % (*at, shape, paint) for at in _whole(ink.x, ink.y).tolist()]
        return b"q %b\n%b Q" % (pen, b"\n".join(marks))

    def _write(self, ink: Letters) -> bytes:
        size = round(ink.size * _FINE)
        turn = b"0 1 -1 0" if ink.upwards else b"1 0 0 1"
        words = []
        for (_, kern), sign in zip(self._face.set(ink.text), ink.text, strict=True):
            if kern:
                words.append(b"> %d <" % round(-1000 * kern / self._face.units))
            words.append(b"%04x" % self._font.codes[sign])
        at = round(ink.x * _FINE), round(ink.y * _FINE)
        return b"BT /F %d Tf 0 g %b %d %d Tm [<%b>] TJ ET" % (size, turn, *at, b"".join(words))


def _line(x: Floats, y: Floats) -> bytes:
    """A path through points, anew after every NaN."""
    points = _whole(x, y)
    gaps = ~(np.isfinite(x) & np.isfinite(y))
    if not gaps.any():
        return _piece(points)
    ends = [-1, *np.flatnonzero(gaps).tolist(), gaps.size]
    return b"".join(_piece(points[before + 1 : end]) for before, end in pairwise(ends) if end - before > 1)


def _piece(points: NDArray[np.int64]) -> bytes:
    numbers: list[int] = points.ravel().tolist()
    return (b"%d %d m\n" + b"%d %d l\n" * (len(points) - 1)) % tuple(numbers)


def _whole(x: Floats, y: Floats) -> NDArray[np.int64]:
    """Points as the page's numbers; 0 where there is none."""
    points = np.rint(np.column_stack((x, y)) * _FINE)
    points[~np.isfinite(points)] = 0.0
    return points.astype(np.int64)


def _clip(frame: Frame | None) -> bytes:
    return b"" if frame is None else b"%b W n " % _rectangle(frame)


def _rectangle(frame: Frame) -> bytes:
    sides = (frame.left, frame.bottom, frame.width, frame.height)
    return b"%d %d %d %d re" % tuple(round(side * _FINE) for side in sides)


def _colour(colour: str) -> bytes:
    return b"%.4g %.4g %.4g" % tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def _shape(symbol: str | int, size: float) -> tuple[bytes, int, int]:
    """A symbol around the origin, and how its lines end and meet."""
    from matplotlib.markers import MarkerStyle

    marker: Any = MarkerStyle(symbol)
    path = marker.get_path().transformed(marker.get_transform().scale(size * _FINE))
    words: list[bytes] = []
    before = np.zeros(2)
    for points, code in path.iter_segments(simplify=False):
        corners = points.reshape(-1, 2)
        if code == path.CURVE3:  # the same curve by two handles
            handle, end = corners
            corners = np.array([before + (handle - before) * 2 / 3, end + (handle - end) * 2 / 3, end])
        if code != path.CLOSEPOLY:
            words += (b"%d" % number for number in np.rint(corners).astype(int).ravel().tolist())
        words.append(_VERBS[int(code)])
        before = corners[-1]
    caps, joins = {"butt": 0, "round": 1, "projecting": 2}, {"miter": 0, "round": 1, "bevel": 2}
    return b" ".join(words), caps[str(marker.get_capstyle())], joins[str(marker.get_joinstyle())]


_VERBS = {1: b"m", 2: b"l", 3: b"c", 4: b"c", 79: b"h"}
