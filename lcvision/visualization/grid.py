"""A contact sheet: pictures in rows and columns with titles and a legend."""
from collections.abc import Sequence

import numpy as np

from lcvision.visualization.painter import Colour
from lcvision.visualization.text import draw_text, shorten, swatch, text_mask

_WHITE, _INK, _FAINT = 255, (36, 41, 47), (110, 119, 129)
_MARGIN, _GAP, _TITLE, _LEGEND, _REMARK = 20, 16, 15, 18, 16


def tile_sizes(shapes: Sequence[tuple[int, int]], width: int = 1292, columns: int = 3) -> list[tuple[int, int]]:
    """Heights and widths at which images fill rows of one width, those of a row equally high, as in a photo album.

    The ratio of an image is kept up to rounding, unless it is longer than 4 to 1. A last row with fewer images is as
    high as the row before it, if they have room then.

    Args:
        shapes: Heights and widths of the images.
        width, columns: Of a row, in pixels with the gaps, and images at most.
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
    """Lays pictures out on a white page, BGR uint8 of shape (H, W, 3), as wide as its widest row.

    Args:
        tiles: Titles, and pictures in the sizes of :func:`tile_sizes`, BGR uint8, at least one.
        legend, remark, columns: See :func:`legend_foot`; pictures in a row at most.
    """
    if not tiles:
        raise ValueError('contact_sheet: tiles is empty; give at least one title and picture.')
    bands = [_row(tiles[start:start + columns]) for start in range(0, len(tiles), columns)]
    width = max(band.shape[1] for band in bands)
    parts = [_padded(band, 0, _GAP, 0, width - band.shape[1]) for band in bands]
    page = np.vstack([*parts[:-1], parts[-1][:-_GAP], legend_foot(legend, remark, width)])
    return _padded(page, _MARGIN, _MARGIN, _MARGIN, _MARGIN)


def _row(tiles: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """Sets pictures side by side, a title above each."""
    title, height = text_mask('', _TITLE).shape[0] + 5, max(len(picture) for _, picture in tiles)
    columns = []
    for name, picture in tiles:
        columns.append(_padded(picture, title, height - len(picture), 0, _GAP))
        draw_text(columns[-1], shorten(name, _TITLE, picture.shape[1]), (0, 0), _TITLE, _INK)
    return np.hstack(columns)[:, :-_GAP]


def _padded(picture: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    return np.pad(picture, ((top, bottom), (left, right), (0, 0)), constant_values=_WHITE)


def legend_foot(legend: Sequence[tuple[str, Colour]], remark: str, width: int, size: int = _LEGEND) -> np.ndarray:
    """Sets legend and remark, to go below pictures, in BGR uint8 of shape (H, width, 3) with a gap above.

    Args:
        legend, remark: Names and RGB colours, and a sentence below, in as many lines as they need.
        width, size: Of the pictures and height of the letters, in pixels; those of the remark are a little smaller.
    """
    line, small = round(size * 1.6), round(size * _REMARK / _LEGEND)
    places = _flow([name for name, _ in legend], width, size)
    rows = places[-1][1] + 1 if places else 0
    above = round(size * _GAP / _LEGEND) if legend or remark else 0
    said = _wrap(remark, width, small)
    height = above + (rows + len(said)) * line
    foot = np.full((height, width, 3), _WHITE, np.uint8)
    letters = text_mask('', size).shape[0]
    for (name, colour), (x, row) in zip(legend, places, strict=True):
        swatch(foot, (x, above + row * line + (letters - size) // 2), size, colour)
        draw_text(foot, name, (x + round(size * 1.4), above + row * line), size, _INK)
    for row, text in enumerate(said, rows):
        draw_text(foot, shorten(text, small, width), (0, above + row * line), small, _FAINT)
    return foot


def _wrap(text: str, width: int, size: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f'{lines[-1]} {word}' if lines else word
        if lines and text_mask(longer, size).shape[1] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _flow(names: Sequence[str], width: int, size: int) -> list[tuple[int, int]]:
    """Breaks a legend into lines: x in pixels and line of every entry."""
    places, x, row = [], 0, 0
    for name in names:
        needed = round(size * 1.4) + text_mask(name, size).shape[1]
        if x and x + needed > width:
            x, row = 0, row + 1
        places.append((x, row))
        x += needed + round(size * 1.4)
    return places
