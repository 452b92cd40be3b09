"""A contact sheet: pictures in rows and columns with titles and a legend."""
from collections.abc import Sequence

import cv2
import numpy as np

from lcvision.visualization.palette import Colour
from lcvision.visualization.text import draw_text, shorten, swatch, text_mask

_PAGE, _CELL, _INK, _FAINT = (255, 255, 255), (238, 240, 243), (36, 41, 47), (110, 119, 129)
_MARGIN, _GAP, _TITLE, _LEGEND, _REMARK = 20, 16, 15, 18, 16


def cell_size(shapes: Sequence[tuple[int, int]], width: int = 420) -> tuple[int, int]:
    """Chooses one size for all pictures of a sheet.

    Args:
        shapes: Heights and widths of the images.
        width: Of a cell in pixels.

    Returns:
        Height and width of a cell: its ratio is the middle one of the images, from 2:3 to 4:3 (height to width).
    """
    ratio = float(np.median([height / width for height, width in shapes]))
    return round(width * min(max(ratio, 2 / 3), 4 / 3)), width


def fit(image: np.ndarray, cell: tuple[int, int]) -> np.ndarray:
    """Resizes an image to be as large as a cell allows, keeping its ratio.

    Args:
        image: BGR uint8 of shape (H, W, 3).
        cell: Height and width in pixels.
    """
    scale = min(cell[0] / image.shape[0], cell[1] / image.shape[1])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def contact_sheet(tiles: Sequence[tuple[str, np.ndarray]], cell: tuple[int, int],
                  legend: Sequence[tuple[str, Colour]] = (), remark: str = '', columns: int = 3) -> np.ndarray:
    """Lays pictures out on a white page.

    Args:
        tiles: Titles, and pictures that fit a cell, BGR uint8; they are centred in their cells.
        cell: Height and width of a cell in pixels.
        legend: Names and RGB colours, set out below the pictures in as many lines as they need.
        remark: One line below the legend.
        columns: Pictures in a row at most.

    Returns:
        The page, BGR uint8 of shape (H, W, 3).

    Raises:
        ValueError: There is no picture, or one is larger than a cell.
    """
    if not tiles:
        raise ValueError('contact_sheet: tiles is empty; give at least one title and picture.')
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    title = text_mask('', _TITLE).shape[0] + 6
    width = 2 * _MARGIN + columns * cell[1] + (columns - 1) * _GAP
    body = 2 * _MARGIN + rows * (title + cell[0]) + (rows - 1) * _GAP
    foot = _foot(legend, remark, width)
    page = np.full((body + len(foot), width, 3), _PAGE[::-1], np.uint8)
    for index, (name, picture) in enumerate(tiles):
        if picture.shape[0] > cell[0] or picture.shape[1] > cell[1]:
            raise ValueError(f'contact_sheet: picture {name} is {picture.shape[0]}x{picture.shape[1]}, larger than the '
                             f'cell of {cell[0]}x{cell[1]} pixels; resize it with fit.')
        x = _MARGIN + index % columns * (cell[1] + _GAP)
        y = _MARGIN + index // columns * (title + cell[0] + _GAP)
        draw_text(page, shorten(name, _TITLE, cell[1]), (x, y), _TITLE, _INK)
        _put(page[y + title:y + title + cell[0], x:x + cell[1]], picture)
    page[body:] = foot
    return page


def _put(cell: np.ndarray, picture: np.ndarray) -> None:
    cell[...] = _CELL[::-1]
    y, x = (cell.shape[0] - picture.shape[0]) // 2, (cell.shape[1] - picture.shape[1]) // 2
    cell[y:y + picture.shape[0], x:x + picture.shape[1]] = picture


def _foot(legend: Sequence[tuple[str, Colour]], remark: str, width: int) -> np.ndarray:
    """Draws legend and remark as the lowest part of a page."""
    line = round(_LEGEND * 1.6)
    places, rows = _flow(legend, width - 2 * _MARGIN)
    height = rows * line + bool(remark) * line + (_MARGIN if legend or remark else 0)
    foot = np.full((height, width, 3), _PAGE[::-1], np.uint8)
    letters = text_mask('', _LEGEND).shape[0]
    for (name, colour), (x, row) in zip(legend, places, strict=True):
        swatch(foot, (_MARGIN + x, row * line + (letters - _LEGEND) // 2), _LEGEND, colour)
        draw_text(foot, name, (_MARGIN + x + round(_LEGEND * 1.4), row * line), _LEGEND, _INK)
    draw_text(foot, shorten(remark, _REMARK, width - 2 * _MARGIN), (_MARGIN, rows * line), _REMARK, _FAINT)
    return foot


def _flow(legend: Sequence[tuple[str, Colour]], width: int) -> tuple[list[tuple[int, int]], int]:
    """Breaks a legend into lines: x in pixels and line of every entry, and how many lines there are."""
    places, x, row = [], 0, 0
    for name, _ in legend:
        needed = round(_LEGEND * 1.4) + text_mask(name, _LEGEND).shape[1]
        if x and x + needed > width:
            x, row = 0, row + 1
        places.append((x, row))
        x += needed + round(_LEGEND * 1.4)
    return places, row + bool(legend)
