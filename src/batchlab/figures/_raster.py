"""JPEG and WebP files of pixels, with provenance inside; the bytes hold no time and no name of a machine."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import PlotError
from batchlab.figures._provenance import jpeg_comments, xmp_packet

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 95  # and colour at full resolution, or thin coloured lines fray
_MAX_JPEG_SIDE = 65_535
_MAX_WEBP_SIDE = 16_383
# Without loss, yet smaller than a lossy file: what WebP was made for is photographs, and this is lines. A higher
# method takes twice as long for a sixth of the size.
_WEBP = {"lossless": True, "quality": 20, "method": 1}
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _INCH = 0x011A, 0x011B, 0x0128, 2


def encode_jpeg(rgba: NDArray[np.uint8], *, dpi: float, metadata: Mapping[str, str] | None = None) -> bytes:
    """A JPEG file of opaque pixels.

    Parameters
    ----------
    rgba
        (height, width, 4) array.
    dpi
        Pixels per inch, told to whoever prints it.
    metadata
        Provenance: any texts under any names; `read_provenance` gives it back.

    Raises
    ------
    PlotError
        If the picture is larger than the format can hold, or the metadata holds anything but text.
    """
    image = _image(rgba, _MAX_JPEG_SIDE, "JPEG")
    data = _encoded(image, "JPEG", quality=_QUALITY, subsampling=0, dpi=(round(dpi), round(dpi)))
    if not metadata:
        return data
    # Behind the first segment, which has to be JFIF's own.
    after = 4 + int.from_bytes(data[4:6], "big")
    return data[:after] + jpeg_comments(metadata) + data[after:]


def encode_webp(rgba: NDArray[np.uint8], *, dpi: float, metadata: Mapping[str, str] | None = None) -> bytes:
    """A WebP file of opaque pixels, without loss; parameters and errors are those of `encode_jpeg`."""
    from PIL.Image import Exif

    image = _image(rgba, _MAX_WEBP_SIDE, "WebP")
    exif = Exif()
    exif[_X_RESOLUTION] = exif[_Y_RESOLUTION] = float(round(dpi))
    exif[_RESOLUTION_UNIT] = _INCH
    told = {"xmp": xmp_packet(metadata)} if metadata else {}
    return _encoded(image, "WEBP", exif=exif.tobytes(), **told, **_WEBP)


def _image(rgba: NDArray[np.uint8], most: int, name: str) -> Image:
    from PIL import Image

    if rgba.dtype != np.uint8 or rgba.ndim != 3 or rgba.shape[2] != 4 or 0 in rgba.shape:
        raise PlotError(f"{rgba.dtype} array of shape {rgba.shape} is no picture; give uint8 rows of RGBA pixels")
    if max(rgba.shape[:2]) > most:
        raise PlotError(
            f"{rgba.shape[1]} x {rgba.shape[0]} pixels are more than {name} can hold, {most} on a side; "
            "write PNG, or choose a lower dpi"
        )
    return Image.fromarray(np.ascontiguousarray(rgba)).convert("RGB")


def _encoded(image: Image, name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()
