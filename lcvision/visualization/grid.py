"""A contact sheet: pictures in rows and columns with titles and a legend."""
from collections.abc import Sequence

import numpy as np

from lcvision.visualization.palette import Colour
from lcvision.visualization.text import draw_text, shorten, swatch, text_mask

_PAGE, _INK, _FAINT = (255, 255, 255), (36, 41, 47), (110, 119, 129)
_MARGIN, _GAP, _TITLE, _LEGEND, _REMARK = 20, 16, 15, 18, 16


def tile_sizes(shapes: Sequence[tuple[int, int]], width: int = 1292, columns: int = 3) -> list[tuple[int, int]]:
    """Chooses sizes at which images fill rows of one width, those of a row being equally high, as in a photo album.

    Args:
        shapes: Heights and widths of the images.
        width: Of a row in pixels, the gaps included.
        columns: Images in a row at most.

    Returns:
        Heights and widths in pixels. The ratio of an image is kept up to rounding, unless it is longer than 4 to 1. A
        last row with fewer images is as high as the row before it, if that leaves them room.
    """
    sizes: list[tuple[int, int]] = []
    ratios = [min(max(shape[1] / shape[0], 0.25), 4.0) for shape in shapes]
    height = width / columns
    for start in range(0, len(ratios), columns):
        row = ratios[start:start + columns]
        full = (width - _GAP * (len(row) - 1)) / sum(row)
        height = full if len(row) == columns else min(full, height)
        edges = np.rint(np.cumsum([0.0, *row]) * height).astype(int)
        sizes += [(round(height), int(tile)) for tile in np.diff(edges)]
    return sizes


def contact_sheet(tiles: Sequence[tuple[str, np.ndarray]], legend: Sequence[tuple[str, Colour]] = (),
                  remark: str = '', columns: int = 3) -> np.ndarray:
    """Lays pictures out on a white page.

    Args:
        tiles: Titles, and pictures in the sizes of :func:`tile_sizes`, BGR uint8.
        legend: Names and RGB colours, set out below the pictures in as many lines as they need.
        remark: A sentence below the legend.
        columns: Pictures in a row at most.

    Returns:
        The page, BGR uint8 of shape (H, W, 3), as wide as its widest row.

    Raises:
        ValueError: There is no picture.
    """
    if not tiles:
        raise ValueError('contact_sheet: tiles is empty; give at least one title and picture.')
    rows = [tiles[start:start + columns] for start in range(0, len(tiles), columns)]
    bands = [_row(row) for row in rows]
    width = max(band.shape[1] for band in bands)
    parts = [*bands, legend_foot(legend, remark, width)]
    height = sum(len(part) for part in parts) + _GAP * (len(bands) - 1) + 2 * _MARGIN
    page = np.full((height, width + 2 * _MARGIN, 3), _PAGE[::-1], np.uint8)
    y = _MARGIN
    for part in parts:
        page[y:y + len(part), _MARGIN:_MARGIN + part.shape[1]] = part
        y += len(part) + (_GAP if part is not bands[-1] else 0)
    return page


def _row(tiles: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """Sets pictures side by side, a title above each."""
    title = text_mask('', _TITLE).shape[0] + 5
    height = title + max(len(picture) for _, picture in tiles)
    row = np.full((height, sum(picture.shape[1] + _GAP for _, picture in tiles) - _GAP, 3), _PAGE[::-1], np.uint8)
    x = 0
    for name, picture in tiles:
        draw_text(row, shorten(name, _TITLE, picture.shape[1]), (x, 0), _TITLE, _INK)
        row[title:title + len(picture), x:x + picture.shape[1]] = picture
        x += picture.shape[1] + _GAP
    return row


def legend_foot(legend: Sequence[tuple[str, Colour]], remark: str, width: int, size: int = _LEGEND) -> np.ndarray:
    """Sets legend and remark to stand below pictures.

    Args:
        legend: Names and RGB colours, in as many lines as they need.
        remark: A sentence below, in as many lines as it needs.
        width: Of the pictures in pixels.
        size: Height of the letters in pixels; those of the remark are a little smaller.

    Returns:
        BGR uint8 of shape (H, width, 3), white, with a gap above unless there is nothing to say.
    """
    line, small = round(size * 1.6), round(size * _REMARK / _LEGEND)
    places, rows = _flow(legend, width, size)
    above = round(size * _GAP / _LEGEND) if legend or remark else 0
    said = _wrap(remark, width, small)
    height = above + (rows + len(said)) * line
    foot = np.full((height, width, 3), _PAGE[::-1], np.uint8)
    letters = text_mask('', size).shape[0]
    for (name, colour), (x, row) in zip(legend, places, strict=True):
        swatch(foot, (x, above + row * line + (letters - size) // 2), size, colour)
        draw_text(foot, name, (x + round(size * 1.4), above + row * line), size, _INK)
    for row, text in enumerate(said, rows):
        draw_text(foot, shorten(text, small, width), (0, above + row * line), small, _FAINT)
    return foot


def _wrap(text: str, width: int, size: int) -> list[str]:
    """Breaks a sentence into lines between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f'{lines[-1]} {word}' if lines else word
        if lines and text_mask(longer, size).shape[1] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _flow(legend: Sequence[tuple[str, Colour]], width: int, size: int) -> tuple[list[tuple[int, int]], int]:
    """Breaks a legend into lines: x in pixels and line of every entry, and how many lines there are."""
    places, x, row = [], 0, 0
    for name, _ in legend:
        needed = round(size * 1.4) + text_mask(name, size).shape[1]
        if x and x + needed > width:
            x, row = 0, row + 1
        places.append((x, row))
        x += needed + round(size * 1.4)
    return places, row + bool(legend)
