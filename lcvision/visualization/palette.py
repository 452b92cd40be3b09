"""A colour for every class."""
import colorsys
from collections.abc import Mapping, Sequence
from typing import Any

Colour = tuple[int, int, int]

# Neighbours differ in hue and in lightness; all are bright enough to be seen as a thin line on a photograph.
_DISTINCT: tuple[Colour, ...] = (
    (30, 110, 244), (245, 130, 20), (22, 163, 88), (222, 44, 134), (139, 82, 236), (0, 172, 193), (229, 57, 53),
    (160, 190, 20), (240, 190, 0), (121, 85, 72), (63, 81, 181), (255, 138, 128), (0, 121, 107), (186, 104, 200),
    (100, 181, 246), (130, 119, 23))


def class_colours(dataset_meta: Mapping[str, Any]) -> list[Colour]:
    """RGB of every class of a dataset's ``metainfo``, 0..255.

    They are those of its ``palette`` if that has one for each class, and else distinct ones of our own: mmdet passes on
    the 80 colours of COCO with whatever classes a config names, and the first of them are hard to tell apart.
    """
    count = len(dataset_meta.get('classes') or ())
    palette = dataset_meta.get('palette')
    if isinstance(palette, Sequence) and not isinstance(palette, str) and len(palette) == count:
        return [(int(red), int(green), int(blue)) for red, green, blue in palette]
    return [distinct_colour(index) for index in range(count)]


def distinct_colour(index: int) -> Colour:
    """RGB of the ``index``-th of any number of colours, each unlike those before it."""
    if index < len(_DISTINCT):
        return _DISTINCT[index]
    # Turning the hue by the golden ratio never comes back to an earlier one.
    hue = index * 0.618034 % 1
    red, green, blue = colorsys.hsv_to_rgb(hue, (0.85, 0.6)[index % 2], (0.9, 0.75, 1.0)[index % 3])
    return round(red * 255), round(green * 255), round(blue * 255)


def text_colour(background: Colour) -> Colour:
    """RGB, near black or white, of text on a background of this RGB."""
    red, green, blue = background
    return (20, 20, 24) if 0.299 * red + 0.587 * green + 0.114 * blue > 160 else (255, 255, 255)
