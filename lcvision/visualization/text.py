"""Text and labels, blended into images: BGR uint8 of shape (H, W, 3), changed in place.

A size is the height of the letters in pixels, an origin x and y of the upper left corner, a colour RGB of 0..255, a
cover float32 of 0..1 with the share of each pixel that is covered. The letters are Pillow's, which come with it and
look the same everywhere; those that cv2 4 can draw are strokes that cannot be read at the size of a label.
"""
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lcvision.errors import UserError
from lcvision.visualization.painter import Colour, text_colour


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise UserError('this Pillow was built without FreeType and has no letters to label pictures with: install '
                        "Pillow's wheel, or test without --show-dir")
    return font


@lru_cache(maxsize=256)
def _letters(text: str, size: int) -> np.ndarray:
    """As in :func:`text_mask`, but 0..255 in uint8: on a large photo a text takes 100 kB."""
    font = _font(size)
    ascent, descent = font.getmetrics()
    image = Image.new('L', (max(1, round(font.getlength(text))), ascent + descent))
    ImageDraw.Draw(image).text((0, 0), text, fill=255, font=font)
    return np.asarray(image)


def text_mask(text: str, size: int) -> np.ndarray:
    """The cover of one line of text, shape (height, width); the height depends on ``size`` alone."""
    return _letters(text, size).astype(np.float32) / 255


def draw_text(image: np.ndarray, text: str, origin: tuple[int, int], size: int, colour: Colour) -> int:
    """Draws one line of text, cut off at the image's edge, and returns x of its right end."""
    mask = text_mask(text, size)
    paste(image, np.broadcast_to(_bgr(colour), (*mask.shape, 3)), mask, origin)
    return origin[0] + mask.shape[1]


def shorten(text: str, size: int, width: int) -> str:
    """Cuts the middle out of a line of text so that it fits into a width in pixels."""
    short, keep = text, len(text)
    while keep > 1 and _font(size).getlength(short) > width:
        keep -= 1
        short = f'{text[:(keep + 1) // 2]}…{text[len(text) - keep // 2:]}'
    return short


def chip(text: str, size: int, colour: Colour) -> tuple[np.ndarray, np.ndarray]:
    """Renders a label, text on a small plate of this colour with round corners: BGR float32 (H, W, 3) and its cover."""
    side, above = max(2, round(size * 0.3)), max(1, round(size * 0.06))
    ink = np.pad(text_mask(text, size), ((above, above), (side, side)))[..., None]
    plate = _bgr(colour) * (1 - ink) + _bgr(text_colour(colour)) * ink
    return plate, rounded(ink.shape[0], ink.shape[1], radius=size * 0.22)


def rounded(height: int, width: int, radius: float) -> np.ndarray:
    """The cover of a rectangle with round corners, all in pixels."""
    y, x = np.ogrid[:height, :width]
    out_y = np.maximum(np.abs(y - (height - 1) / 2) - (height / 2 - radius), 0)
    out_x = np.maximum(np.abs(x - (width - 1) / 2) - (width / 2 - radius), 0)
    return np.clip(radius + 0.5 - np.hypot(out_y, out_x), 0, 1).astype(np.float32)


def paste(image: np.ndarray, picture: np.ndarray, cover: np.ndarray, origin: tuple[int, int]) -> None:
    """Blends a BGR float32 picture into an image where it covers it, cut off at the image's edge."""
    x, y = origin
    left, top = max(-x, 0), max(-y, 0)
    right, bottom = min(cover.shape[1], image.shape[1] - x), min(cover.shape[0], image.shape[0] - y)
    if left >= right or top >= bottom:
        return
    target = image[y + top:y + bottom, x + left:x + right]
    share = cover[top:bottom, left:right, None]
    target[...] = np.rint(target + (picture[top:bottom, left:right] - target) * share)


def swatch(image: np.ndarray, origin: tuple[int, int], side: int, colour: Colour) -> None:
    """Draws the square, with sides in pixels, that stands for a class in a legend."""
    paste(image, np.broadcast_to(_bgr(colour), (side, side, 3)), rounded(side, side, side * 0.2), origin)


def _bgr(colour: Colour) -> np.ndarray:
    return np.array(colour[::-1], np.float32)
