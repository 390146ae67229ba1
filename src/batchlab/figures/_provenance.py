"""Where a picture came from, kept inside its file: one mapping of texts, as JSON, in every format.

PNG holds it in a text chunk, JPEG in comments, WebP, PDF and SVG in an XMP packet [1]_. What is read is a file
of anybody's: lengths are bounded, nothing is unpacked without a limit, no XML parser is let loose on it.

References
----------
.. [1] ISO 16684-1, *Extensible metadata platform (XMP)*.
"""

from __future__ import annotations

import html
import json
import re
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from batchlab.errors import Category, DataError, PlotError

KEYWORD = b"batchlab"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_BYTES = 16_000_000  # of provenance
_MAX_DOCUMENT_BYTES = 1_000_000_000
_COMMENT_BYTES = 65_533 - len(KEYWORD) - 1  # in one JPEG segment, whose length has 16 bits

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
{meta}
<?xpacket end="r"?>"""
_META = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:batchlab="urn:batchlab:">
<batchlab:provenance>{text}</batchlab:provenance>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>"""
# As an element, or as the attribute that some programs make of it.
_IN_PACKET = re.compile(
    rb"""<batchlab:provenance[^<>]{0,200}>([^<]*)</batchlab:provenance>|\sbatchlab:provenance\s{0,9}=\s{0,9}(?:"([^"<]*)"|'([^'<]*)')"""
)
_IN_PAGE = re.compile(rb'<script type="application/json" id="batchlab-provenance">([^<]*)</script>')
_NOT_XML = re.compile("[\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def provenance_json(metadata: Mapping[str, str]) -> bytes:
    """Sorted JSON in UTF-8; halves of surrogate pairs, which UTF-8 cannot carry, as JSON's own escapes.

    Raises
    ------
    PlotError
        If a name or a value is no text.
    """
    wrong = [name for name, text in metadata.items() if not (isinstance(name, str) and isinstance(text, str))]
    if wrong:
        raise PlotError(f"provenance {wrong[0]!r} is no text; write names and values as str")
    text = json.dumps(dict(metadata), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def xmp_element(metadata: Mapping[str, str]) -> str:
    """The mapping as the element that XMP packets and SVG files hold."""
    text = provenance_json(metadata).decode("utf-8")
    # Signs that XML may not hold, as JSON's own escapes.
    text = _NOT_XML.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return _META.format(text=html.escape(text, quote=False))


def xmp_packet(metadata: Mapping[str, str]) -> bytes:
    """The mapping as an XMP packet."""
    return _PACKET.format(meta=xmp_element(metadata)).encode("utf-8")


def jpeg_comments(metadata: Mapping[str, str]) -> bytes:
    """The mapping as JPEG comment segments, as many as it takes."""
    text = provenance_json(metadata)
    parts = [text[at : at + _COMMENT_BYTES] for at in range(0, len(text), _COMMENT_BYTES)]
    return b"".join(
        struct.pack(">HH", 0xFFFE, 2 + len(KEYWORD) + 1 + len(part)) + KEYWORD + b" " + part for part in parts
    )


def read_provenance(path: str | Path) -> dict[str, str]:
    """The metadata that a picture was written with, whatever its format and its name; or an interactive page.

    Raises
    ------
    DataError
        If there is no such file, it is no picture, is damaged, or carries no provenance (the reason says which:
        ``not-a-picture``, ``damaged-picture``, ``no-provenance``).
    """
    with opened(path) as file:
        head = file.read(2048)
        kind = picture_kind(head) or ("html" if head[:32].lower().startswith(b"<!doctype html") else None)
        if kind is None:
            raise DataError(f"{path} is no picture; name one that batchlab made", reason="not-a-picture")
        file.seek(0)
        try:
            text = _READERS[kind](file)
            found = None if text is None else json.loads(text.decode("utf-8"))
        except (ValueError, IndexError, struct.error, zlib.error) as error:
            raise damaged(path, str(error)) from error
    if found is None:
        raise DataError(
            f"{path} carries no provenance: batchlab did not make it, or another program has rewritten it",
            reason="no-provenance",
        )
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise damaged(path, "its provenance is no mapping of texts")
    return found


def picture_kind(head: bytes) -> str | None:
    """What the first 2 kB of a file are the head of: an ending without its dot, such as ``jpg``."""
    if head.startswith(PNG_SIGNATURE):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<svg" in head:
        return "svg"
    return None


def opened(path: str | Path) -> BinaryIO:
    """The file, or our error."""
    try:
        return open(path, "rb")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file", category=Category.MISSING_INPUT) from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder; name a picture in it", reason="not-a-picture") from error


def damaged(path: str | Path, how: str) -> DataError:
    """What to say of a picture that cannot be read."""
    return DataError(f"{path} is a damaged picture: {how}; make it again", reason="damaged-picture")


def _png_text(file: BinaryIO) -> bytes | None:
    file.seek(len(PNG_SIGNATURE))
    while True:
        head = file.read(8)
        if len(head) < 8:
            raise ValueError("it ends before its last chunk")
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return None
        if kind != b"iTXt" or length > _MAX_BYTES:
            file.seek(length + 4, 1)
            continue
        body, checksum = file.read(length), file.read(4)
        if zlib.crc32(kind + body).to_bytes(4, "big") != checksum:
            raise ValueError("the checksum of a text chunk is wrong")
        if body.startswith(KEYWORD + b"\0"):
            # Compression flag and method, language, translated keyword, text.
            rest = body[len(KEYWORD) + 1 :]
            packed = rest[0]
            text = rest[2:].split(b"\0", 2)[2]
            # A program that rewrote the picture may have compressed it.
            return zlib.decompressobj().decompress(text, _MAX_BYTES) if packed else text


def _jpeg_text(file: BinaryIO) -> bytes | None:
    parts = [
        body[len(KEYWORD) + 1 :]
        for marker, body in jpeg_segments(file)
        if marker == 0xFE and body.startswith(KEYWORD + b" ")
    ]
    return b"".join(parts) if parts else None


def jpeg_segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each segment before the pixels."""
    file.seek(2)
    while True:
        head = file.read(2)
        while head == b"\xff\xff":  # fill bytes
            head = b"\xff" + file.read(1)
        if len(head) < 2 or head[0] != 0xFF:
            raise ValueError("it ends before its pixels")
        if head[1] in (0xDA, 0xD9):  # the pixels, or the end
            return
        (length,) = struct.unpack(">H", file.read(2))
        body = file.read(length - 2) if length > 2 else b""
        if len(body) != max(0, length - 2):
            raise ValueError("it ends before its pixels")
        yield head[1], body


def _webp_text(file: BinaryIO) -> bytes | None:
    for kind, body in webp_chunks(file):
        if kind == b"XMP " and (text := _packet_text(body)) is not None:
            return text
    return None


def webp_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Name and body of each chunk; of the pixels, which are long, the first 32 bytes."""
    (total,) = struct.unpack("<I", file.read(8)[4:])
    end = total + 8
    at = 12
    while at < end:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            raise ValueError("it ends before its last chunk")
        kind, length = struct.unpack("<4sI", head)
        wanted = min(length, _MAX_BYTES if kind == b"XMP " else 32)
        body = file.read(wanted)
        if len(body) < wanted:
            raise ValueError("it ends within a chunk")
        yield kind, body
        at += 8 + length + length % 2


def _document_text(file: BinaryIO) -> bytes | None:
    return _packet_text(file.read(_MAX_DOCUMENT_BYTES))


def _page_text(file: BinaryIO) -> bytes | None:
    found = _IN_PAGE.search(file.read(_MAX_DOCUMENT_BYTES))
    return None if found is None or found.group(1) == b"{}" else found.group(1)


def _packet_text(data: bytes) -> bytes | None:
    all_found = deque(_IN_PACKET.finditer(data), maxlen=1)  # a changed PDF holds what is true behind what was
    if not all_found:
        return None
    found = all_found[0]
    text = next(group for group in found.groups() if group is not None)
    if len(text) > _MAX_BYTES:
        raise ValueError("its provenance is too long")
    return html.unescape(text.decode("utf-8")).encode("utf-8", "backslashreplace")


_READERS: Mapping[str, Callable[[BinaryIO], bytes | None]] = {
    "png": _png_text,
    "jpg": _jpeg_text,
    "webp": _webp_text,
    "pdf": _document_text,
    "svg": _document_text,
    "html": _page_text,
}
