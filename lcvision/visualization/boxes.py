"""Boxes and their labels on an image."""
import cv2
import numpy as np

from lcvision.visualization.palette import Colour
from lcvision.visualization.style import Style
from lcvision.visualization.text import chip, paste

_LIGHT, _DARK = np.uint8(255), np.uint8(40)


def pixel_corners(boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Rounds boxes to pixels of an image and clips them to it.

    Args:
        boxes: x1, y1, x2, y2 in pixels, shape (N, 4).
        shape: Height and width of the image in pixels.

    Returns:
        The first and the last column and row of each, int, shape (N, 4).
    """
    last = np.array([shape[1], shape[0]] * 2) - 1
    return np.clip(np.rint(boxes), 0, last).astype(int)


def draw_box(image: np.ndarray, corners: np.ndarray, colour: Colour, line: int) -> None:
    """Draws a solid box.

    Args:
        image: BGR uint8 of shape (H, W, 3), changed in place.
        corners: First column and row, last column and row.
        colour: RGB, 0..255.
        line: Width of the line in pixels.
    """
    x1, y1, x2, y2 = (int(value) for value in corners)
    cv2.rectangle(image, (x1, y1), (x2, y2), colour[::-1], line)


def draw_dashed_box(image: np.ndarray, corners: np.ndarray, dash: int) -> None:
    """Draws a box one pixel thin whose dashes are white and near black in turn, so that it is seen on any ground.

    Args:
        image: BGR uint8 of shape (H, W, 3), changed in place.
        corners: First column and row, last column and row.
        dash: Length of a dash in pixels.
    """
    x1, y1, x2, y2 = (int(value) for value in corners)
    pattern = np.arange(max(x2 - x1, y2 - y1) + 1) // dash % 2 == 0
    dashes = np.where(pattern[:, None], _LIGHT, _DARK)
    across, down = dashes[:x2 - x1 + 1], dashes[:y2 - y1 + 1]
    image[y1, x1:x2 + 1] = image[y2, x1:x2 + 1] = across
    image[y1:y2 + 1, x1] = image[y1:y2 + 1, x2] = down


class LabelLayer:
    """Labels of boxes, of which none covers another.

    Args:
        image: BGR uint8 of shape (H, W, 3), drawn upon.
        style: Sizes.
    """

    def __init__(self, image: np.ndarray, style: Style) -> None:
        self._image = image
        self._style = style
        self._taken = np.zeros(image.shape[:2], bool)

    def add(self, corners: np.ndarray, texts: tuple[str, ...], colour: Colour) -> str | None:
        """Draws the first of the texts for which there is room at the box, inside the image.

        Args:
            corners: First column and row, last column and row of the box.
            texts: From the most telling to the shortest.
            colour: RGB, 0..255.

        Returns:
            The text drawn, None if there was no room.
        """
        for text in texts:
            plate, cover = chip(text, self._style.font, colour)
            height, width = cover.shape
            for x, y in self._places(corners, height, width):
                if not self._taken[y:y + height, x:x + width].any():
                    self._taken[y:y + height, x:x + width] = True
                    paste(self._image, plate, cover, (x, y))
                    return text
        return None

    def _places(self, corners: np.ndarray, height: int, width: int) -> list[tuple[int, int]]:
        """Upper left corners: on the upper line, below it, above the lower line, on that; left before right."""
        image_height, image_width = self._image.shape[:2]
        if height > image_height or width > image_width:
            return []
        half = self._style.line // 2
        x1, y1, x2, y2 = (int(value) for value in corners)
        columns = [min(max(x, 0), image_width - width) for x in (x1 - half, x2 + half + 1 - width)]
        rows = [min(max(y, 0), image_height - height)
                for y in (y1 + half + 1 - height, y1 + half + 1, y2 - half - height, y2 - half)]
        return [(x, y) for y in rows for x in columns]
