"""Image files: which there are, how large an image is before it is decoded, that it is whole, and its pixels."""
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import cv2
import numpy as np

from lcvision.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

EXTENSIONS = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.ppm', '.pgm')
_BROKEN = (OSError, EOFError, ValueError, SyntaxError)
REMEDY = 'restore the file or remove the image from the annotations'

# Changed by environment variables of these names. A few bytes of header can ask for gigabytes: 100 million pixels are
# 300 MB when decoded; resizing the short side of an image of 100:1 to 256 pixels makes 20 MB, of 30000:1 6 GB.
_LIMITS = {'LCVISION_MAX_PIXELS': 100_000_000, 'LCVISION_MAX_ASPECT': 100}
_PILLOW = Lock()
_JPEG_START, _JPEG_END = b'\xff\xd8\xff', b'\xff\xd9'
_PNG_START, _PNG_END = b'\x89PNG\r\n\x1a\n', b'IEND'
# Any marker but a restart: stuffed zeros, fill bytes and restarts belong to the compressed data.
_JPEG_MARKER = re.compile(rb'\xff[\x01-\xcf\xd8-\xfe]')
# Orientation tag and its values that turn an image by a quarter.
_ORIENTATION, _QUARTER_TURNS = 0x0112, (5, 6, 7, 8)
# Nearly every file ends at its end marker, or a few padding bytes later.
_TAIL = 64


@contextmanager
def cv2_threads(count: int) -> Iterator[None]:
    """So many threads for cv2, which has one number for the process; the one before is restored."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def read_image(path: str | Path, decode: Callable[[str, bytes], np.ndarray]) -> np.ndarray:
    """Reads an image file and decodes it, given its name and content; a UserError where it cannot be read."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113
            raise UserError(f'{path} is no file: give the path of an image file')
        return decode(str(path), Path(path).read_bytes())
    except FileNotFoundError:
        raise UserError(f'there is no image {path}: give the path of an image file') from None
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror}): give a file that you may read') from error


def in_memory(content: bytes) -> str:
    """What messages call an image file that is no file."""
    return f'({len(content)} bytes in memory)'


def decode_pixels(content: bytes) -> np.ndarray | None:
    """Pixels of an image in BGR, uint8, shape (H, W, 3), upright as its EXIF says; None if OpenCV cannot tell."""
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def decode_image(name: str, content: bytes, decode: Callable[[bytes], np.ndarray | None] = decode_pixels,
                 decoder: str = 'cv2') -> np.ndarray:
    """Decodes the whole content of an image file; ``decode`` makes the pixels, None where it cannot.

    Raises:
        UserError: It is empty, ends early, cannot be decoded, or :func:`check_size` finds it too large. The message has
            ``name`` and ``decoder``.
    """
    if not content:
        raise UserError(f'Image file {name} is empty (0 bytes): {REMEDY}.')
    missing = missing_end(content)
    if missing:
        raise UserError(f'Image file {name} ends early ({missing}, {len(content)} bytes): {REMEDY}.')
    cause: Exception | None = None
    img = None
    try:
        # An installation of a runtime alone may lack Pillow: then OpenCV's own bound holds until the image is decoded.
        with suppress(ImportError, *_BROKEN), open_image(f'Image file {name}', content):
            pass
        img = decode(content)
    except (*_BROKEN, cv2.error) as error:
        cause = error
    if img is None:
        raise UserError(f'Image file {name} is not an image that {decoder} can decode '
                        f'({len(content)} bytes, starting {content[:8]!r}): {REMEDY}.') from cause
    return img


def open_image(name: str, file: str | Path | bytes) -> 'Image.Image':
    """Opens the path or content of an image with Pillow, which reads only the header, and checks its size."""
    from PIL import Image
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


def upright_size(name: str, file: str | Path | bytes) -> tuple[int, int]:
    """Width and height of an image as it is loaded, of which only the header is read."""
    with open_image(name, file) as image:
        # In a PNG without that, getexif would decode all pixels to look behind them.
        tagged = image.format != 'PNG' or 'exif' in image.info
        return image.size[::-1] if tagged and image.getexif().get(_ORIENTATION) in _QUARTER_TURNS else image.size


def check_size(name: str, width: int, height: int) -> None:
    """Refuses, with a UserError, an image with too many pixels or too unequal sides.

    These are more than ``LCVISION_MAX_PIXELS`` in the environment allows (100 million), and a longer side of more than
    ``LCVISION_MAX_ASPECT`` (100) times the shorter.
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
