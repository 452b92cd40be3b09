"""Text and labels as small images that are blended in.

The letters are Pillow's, which come with it and look the same everywhere; those that cv2 4 can draw are strokes that
cannot be read at the size of a label. The last texts are kept.
"""
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache, wraps
from threading import Lock
from typing import ParamSpec, TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lcvision.errors import UserError
from lcvision.visualization.palette import Colour, text_colour

P = ParamSpec('P')
R = TypeVar('R', np.ndarray, tuple[np.ndarray, ...])
_KEPT_BYTES = 32 << 20


def _remembering(render: Callable[P, R]) -> Callable[P, R]:
    """Keeps what was asked for last, up to some bytes: letters on a large photo take megabytes."""
    kept: OrderedDict[tuple, R] = OrderedDict()
    total, lock = 0, Lock()

    @wraps(render)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal total
        key = (*args, *kwargs.values())
        with lock:
            if key not in kept:
                kept[key] = render(*args, **kwargs)
                total += _size(kept[key])
            kept.move_to_end(key)
            result = kept[key]
            while total > _KEPT_BYTES:
                total -= _size(kept.popitem(last=False)[1])
        return result
    return remembered


def _size(arrays: np.ndarray | tuple[np.ndarray, ...]) -> int:
    return sum(array.nbytes for array in (arrays if isinstance(arrays, tuple) else (arrays,)))


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise UserError('this Pillow was built without FreeType and has no letters to label pictures with: install '
                        "Pillow's wheel, or test without --show-dir")
    return font


@_remembering
def text_mask(text: str, size: int) -> np.ndarray:
    """Renders one line of text.

    Args:
        text: The line.
        size: Height of the letters in pixels.

    Returns:
        How much of each pixel is covered, float32 of 0..1, shape (height, width); the height depends on ``size`` alone.
    """
    font = _font(size)
    ascent, descent = font.getmetrics()
    image = Image.new('L', (max(1, round(font.getlength(text))), ascent + descent))
    ImageDraw.Draw(image).text((0, 0), text, fill=255, font=font)
    mask = np.asarray(image, np.float32) / 255
    mask.setflags(write=False)
    return mask


def draw_text(image: np.ndarray, text: str, origin: tuple[int, int], size: int, colour: Colour) -> int:
    """Draws one line of text onto an image; what would lie outside is cut off.

    Args:
        image: BGR uint8 of shape (H, W, 3), changed in place.
        text: The line.
        origin: x and y of its upper left corner in pixels.
        size: Height of the letters in pixels.
        colour: RGB, 0..255.

    Returns:
        x of its right end.
    """
    mask = text_mask(text, size)
    paste(image, np.broadcast_to(_bgr(colour), (*mask.shape, 3)), mask, origin)
    return origin[0] + mask.shape[1]


def shorten(text: str, size: int, width: int) -> str:
    """Cuts a text's middle out so that it fits.

    Args:
        text: One line.
        size: Height of the letters in pixels.
        width: Room in pixels.
    """
    if _font(size).getlength(text) <= width:
        return text
    keep = len(text) - 1
    while keep > 1 and _font(size).getlength(_without_middle(text, keep)) > width:
        keep -= 1
    return _without_middle(text, keep)


@_remembering
def chip(text: str, size: int, colour: Colour) -> tuple[np.ndarray, np.ndarray]:
    """Renders a label: text on a small plate with round corners.

    Args:
        text: The line.
        size: Height of the letters in pixels.
        colour: RGB of the plate, 0..255; the text is black or white, whichever is read better on it.

    Returns:
        BGR float32 of shape (height, width, 3) and how much it covers, float32 of 0..1, shape (height, width).
    """
    letters = text_mask(text, size)
    side, above = max(2, round(size * 0.3)), max(1, round(size * 0.06))
    ink = np.pad(letters, ((above, above), (side, side)))[..., None]
    plate = _bgr(colour) * (1 - ink) + _bgr(text_colour(colour)) * ink
    return plate, rounded(ink.shape[0], ink.shape[1], radius=size * 0.22)


def rounded(height: int, width: int, radius: float) -> np.ndarray:
    """Renders a rectangle with round corners.

    Args:
        height: In pixels.
        width: In pixels.
        radius: Of the corners in pixels.

    Returns:
        How much of each pixel is covered, float32 of 0..1, shape (height, width).
    """
    y, x = np.ogrid[:height, :width]
    out_y = np.maximum(np.abs(y - (height - 1) / 2) - (height / 2 - radius), 0)
    out_x = np.maximum(np.abs(x - (width - 1) / 2) - (width / 2 - radius), 0)
    return np.clip(radius + 0.5 - np.hypot(out_y, out_x), 0, 1).astype(np.float32)


def paste(image: np.ndarray, picture: np.ndarray, cover: np.ndarray, origin: tuple[int, int]) -> None:
    """Blends a small picture into an image; what would lie outside is cut off.

    Args:
        image: BGR uint8 of shape (H, W, 3), changed in place.
        picture: BGR float32 of shape (h, w, 3).
        cover: How much of each pixel it covers, 0..1, shape (h, w).
        origin: x and y of its upper left corner in pixels.
    """
    x, y = origin
    left, top = max(-x, 0), max(-y, 0)
    right, bottom = min(cover.shape[1], image.shape[1] - x), min(cover.shape[0], image.shape[0] - y)
    if left >= right or top >= bottom:
        return
    target = image[y + top:y + bottom, x + left:x + right]
    share = cover[top:bottom, left:right, None]
    target[...] = np.rint(target + (picture[top:bottom, left:right] - target) * share)


def swatch(image: np.ndarray, origin: tuple[int, int], side: int, colour: Colour) -> None:
    """Draws the square that stands for a class in a legend.

    Args:
        image: BGR uint8 of shape (H, W, 3), changed in place.
        origin: x and y of its upper left corner in pixels.
        side: In pixels.
        colour: RGB, 0..255.
    """
    paste(image, np.broadcast_to(_bgr(colour), (side, side, 3)), rounded(side, side, side * 0.2), origin)


def _bgr(colour: Colour) -> np.ndarray:
    return np.array(colour[::-1], np.float32)


def _without_middle(text: str, keep: int) -> str:
    return f'{text[:(keep + 1) // 2]}…{text[len(text) - keep // 2:]}'
