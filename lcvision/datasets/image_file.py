"""Checks an image file before it is decoded: how large the image is, and that the file does not end early."""
import os
import re
from io import BytesIO
from pathlib import Path
from threading import Lock

from PIL import Image

from lcvision.errors import UserError

# Changed by environment variables of these names. A few bytes of header can ask for gigabytes: 100 million pixels are
# 300 MB when decoded; resizing the short side of an image of 100:1 to 256 pixels makes 20 MB, of 30000:1 6 GB.
_LIMITS = {'LCVISION_MAX_PIXELS': 100_000_000, 'LCVISION_MAX_ASPECT': 100}
_PILLOW = Lock()
_JPEG_START, _JPEG_END = b'\xff\xd8\xff', b'\xff\xd9'
_PNG_START, _PNG_END = b'\x89PNG\r\n\x1a\n', b'IEND'
# Any marker but a restart: stuffed zeros, fill bytes and restarts belong to the compressed data.
_JPEG_MARKER = re.compile(rb'\xff[\x01-\xcf\xd8-\xfe]')
# Nearly every file ends at its end marker, or a few padding bytes later.
_TAIL = 64


def open_image(name: str, file: str | Path | bytes) -> Image.Image:
    """Opens the path or content of an image with Pillow, which reads only the header, and checks its size."""
    with _PILLOW:
        # Pillow's own limit, one for the process, would raise without giving width and height.
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(BytesIO(file) if isinstance(file, bytes) else file)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    check_size(name, *image.size)
    if limit is not None:
        Image.MAX_IMAGE_PIXELS = max(limit, image.width * image.height)
    return image


def check_size(name: str, width: int, height: int) -> None:
    """Refuses an image with too many pixels or too unequal sides.

    Raises:
        UserError: It has more pixels than ``LCVISION_MAX_PIXELS`` in the environment allows (100 million), or its
            longer side is more than ``LCVISION_MAX_ASPECT`` (100) times the shorter.
    """
    aspect = -(-max(width, height) // max(min(width, height), 1))
    values = {'LCVISION_MAX_PIXELS': (width * height, f'{width * height:,} pixels are'),
              'LCVISION_MAX_ASPECT': (aspect, f'sides of {aspect:,}:1 are')}
    for variable, (value, over) in values.items():
        text = os.environ.get(variable) or str(_LIMITS[variable])
        if not text.isdecimal() or not int(text):
            raise UserError(f'{variable}={text!r} in the environment: give a whole number of at least 1')
        if value > int(text):
            raise UserError(f'{name} is {width}x{height}: {over} more than the {int(text):,} allowed, since they can '
                            f'take gigabytes; crop or shrink it, or set {variable}={value} in the environment')


def missing_end(content: bytes) -> str | None:
    """What is missing at the end of a JPEG or PNG, which some decoders fill with grey; None if it is whole."""
    if content.startswith(_JPEG_START):
        return None if _jpeg_ends(content) else 'a JPEG without its end-of-image marker'
    if content.startswith(_PNG_START):
        return None if _png_ends(content) else 'a PNG without its IEND chunk'
    return None


def _jpeg_ends(content: bytes) -> bool:
    if content.rfind(_JPEG_END, -_TAIL) >= 0:
        return True
    # Bytes may follow the image, and an end marker may belong to a thumbnail within it: walk the segments.
    position = 2
    while match := _JPEG_MARKER.search(content, position):
        if match.group() == _JPEG_END:
            return True
        position = match.end() + int.from_bytes(content[match.end():match.end() + 2], 'big')
    return False


def _png_ends(content: bytes) -> bool:
    if content.rfind(_PNG_END, -_TAIL) >= 0:
        return True
    position = len(_PNG_START)
    while position + 8 <= len(content):
        if content[position + 4:position + 8] == _PNG_END:
            return True
        position += 12 + int.from_bytes(content[position:position + 4], 'big')
    return False
