"""PDF and SVG files of a drawn figure, with provenance inside; the bytes hold no time and no random name.

Letters go into an SVG as outlines, so that it looks the same where the font is missing, and into a PDF with
their font, so that they can be searched and copied.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from batchlab.errors import PlotError
from batchlab.figures._pdf_fonts import print_pdf
from batchlab.figures._provenance import xmp_element, xmp_packet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def encode_vector(figure: Figure, suffix: str, metadata: Mapping[str, str] | None = None) -> bytes:
    """A PDF or SVG file of a figure, which stays as it was. Call it within `pinned(exact=True)`.

    Parameters
    ----------
    figure
        With its layout settled.
    suffix
        ``.pdf`` or ``.svg``.
    metadata
        Provenance: any texts under any names; `read_provenance` gives it back.
    """
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    canvas_of: dict[str, Any] = {".pdf": FigureCanvasPdf, ".svg": FigureCanvasSVG}
    canvas, dpi = figure.canvas, figure.dpi
    engine = figure.get_layout_engine()
    buffer = io.BytesIO()
    try:
        if suffix == ".pdf":
            print_pdf(canvas_of[suffix](figure), buffer, {"CreationDate": None, "Creator": None})
        else:
            nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            canvas_of[suffix](figure).print_svg(buffer, metadata=nothing)
    finally:
        figure.set_canvas(canvas)
        figure.set_dpi(dpi)
        figure.set_layout_engine(engine)
    data = buffer.getvalue()
    if not metadata:
        return data
    return _pdf_with_packet(data, xmp_packet(metadata)) if suffix == ".pdf" else _svg_with_element(data, metadata)


def _svg_with_element(data: bytes, metadata: Mapping[str, str]) -> bytes:
    after = data.index(b">", data.index(b"<svg")) + 1
    return data[:after] + f"\n <metadata>\n{xmp_element(metadata)}\n </metadata>".encode() + data[after:]


def _pdf_with_packet(data: bytes, packet: bytes) -> bytes:
    """Add the packet by an incremental update: the catalogue anew, now pointing at it, and a list of what is new."""
    trailer = data[data.rindex(b"trailer") :]
    found = {
        name: re.search(pattern, trailer)
        for name, pattern in {
            "root": rb"/Root (\d+) 0 R",
            "info": rb"/Info (\d+) 0 R",
            "size": rb"/Size (\d+)",
            "xref": rb"startxref\s+(\d+)",
        }.items()
    }
    number = {name: int(match.group(1)) for name, match in found.items() if match is not None}
    catalogue = re.search(rb"\n%d 0 obj\n<<(.*?)>>\nendobj" % number.get("root", 0), data, re.DOTALL)
    if len(number) != len(found) or catalogue is None:
        raise PlotError("this matplotlib writes PDF in a way that leaves no place for provenance; write SVG or PNG")
    update = bytearray(data if data.endswith(b"\n") else data + b"\n")
    root_at = len(update)
    update += b"%d 0 obj\n<<%s /Metadata %d 0 R >>\nendobj\n" % (number["root"], catalogue.group(1), number["size"])
    packet_at = len(update)
    update += b"%d 0 obj\n<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n" % (number["size"], len(packet))
    update += packet + b"\nendstream\nendobj\n"
    xref_at = len(update)
    update += b"xref\n%d 1\n%010d 00000 n \n%d 1\n%010d 00000 n \n" % (
        *(number["root"], root_at),
        *(number["size"], packet_at),
    )
    update += b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        *(number["size"] + 1, number["root"], number["info"]),
        *(number["xref"], xref_at),
    )
    return bytes(update)
