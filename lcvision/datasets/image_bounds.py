"""Bounds an image before its pixels are read: a few bytes of header can ask for gigabytes."""
import os
from io import BytesIO
from pathlib import Path
from threading import Lock

from PIL import Image

from lcvision.errors import UserError

# Changed by environment variables of these names. 100 million pixels are 300 MB when decoded; resizing the short side
# of an image of 100:1 to 256 pixels makes 20 MB, of 30000:1 it would make 6 GB.
_LIMITS = {'LCVISION_MAX_PIXELS': 100_000_000, 'LCVISION_MAX_ASPECT': 100}
_PILLOW = Lock()


def open_image(name: str, file: str | Path | bytes) -> Image.Image:
    """Opens an image file with Pillow, which reads the header alone, and refuses it as :func:`check_size` does.

    Args:
        name: What it is called in a message.
        file: Its path, or its content.
    """
    with _PILLOW:
        # Pillow's own limit, one for the process, would raise without telling width and height.
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
    """Refuses an image of too many pixels or of too unequal sides.

    Args:
        name: What it is called in a message.
        width: In pixels.
        height: In pixels.

    Raises:
        UserError: It has more pixels than ``LCVISION_MAX_PIXELS`` in the environment says (100 million), or a longer
            side more than ``LCVISION_MAX_ASPECT`` (100) times the shorter.
    """
    long, short = max(width, height), max(min(width, height), 1)
    values = {'LCVISION_MAX_PIXELS': (width * height, f'{width * height:,} pixels are'),
              'LCVISION_MAX_ASPECT': (-(-long // short), f'sides of {-(-long // short):,}:1 are')}
    for variable, (value, over) in values.items():
        limit = _limit(variable)
        if value > limit:
            raise UserError(f'{name} is {width}x{height}: {over} more than the {limit:,} allowed, since they can take '
                            f'gigabytes; crop or shrink it, or set {variable}={value} in the environment')


def _limit(variable: str) -> int:
    text = os.environ.get(variable) or str(_LIMITS[variable])
    if not text.isdecimal() or not int(text):
        raise UserError(f'{variable}={text!r} in the environment: give a whole number of at least 1')
    return int(text)
