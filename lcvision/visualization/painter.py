"""What a task must provide to be drawn, and the sizes and colours of what is drawn."""
import colorsys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from mmengine.structures import BaseDataElement

# A string, since pictures are drawn without mmengine, too.
DataSample: TypeAlias = 'BaseDataElement'
S = TypeVar('S')
Colour = tuple[int, int, int]
# Neighbours differ in hue and in lightness; all are bright enough to be seen as a thin line on a photograph.
_DISTINCT: tuple[Colour, ...] = (
    (30, 110, 244), (245, 130, 20), (22, 163, 88), (222, 44, 134), (139, 82, 236), (0, 172, 193), (229, 57, 53),
    (160, 190, 20), (240, 190, 0), (121, 85, 72), (63, 81, 181), (255, 138, 128), (0, 121, 107), (186, 104, 200),
    (100, 181, 246), (130, 119, 23))


@dataclass(frozen=True)
class Style:
    """Sizes in pixels that belong together.

    Attributes:
        font, line, dash: Height of the text, width of a predicted box's line, length of a dash of a true box.
    """

    font: int
    line: int
    dash: int

    @classmethod
    def for_image(cls, shape: tuple[int, ...]) -> 'Style':
        """Sizes that look alike on small and large images, by the image's height and width."""
        side = (shape[0] * shape[1]) ** 0.5
        return cls(font=max(11, round(side / 40)), line=max(2, round(side / 300)), dash=max(4, round(side / 100)))


class Painter(ABC, Generic[S]):
    """Draws a scene: all there is to draw on an image, and nothing else.

    Args:
        dataset_meta: A dataset's ``metainfo`` with ``classes`` and perhaps ``palette``, RGB of 0..255.
    """

    def __init__(self, dataset_meta: Mapping[str, Any]) -> None:
        self.classes = tuple(dataset_meta.get('classes') or ())
        self.colours = class_colours(dataset_meta)

    @abstractmethod
    def read(self, sample: DataSample) -> S:
        """Takes a scene out of a data sample."""

    @abstractmethod
    def paint(self, image: np.ndarray, scene: S, style: Style | None = None) -> np.ndarray:
        """Draws a scene; returns the image, or without ``style`` perhaps a larger one.

        Args:
            image, scene: In any size, BGR uint8 of shape (H, W, 3), changed in place; what to draw.
            style: Sizes of lines and letters; None for some that suit the image, which is then enlarged where letters
                would not fit and gets a legend below where it needs one.
        """

    @abstractmethod
    def variety(self, scene: S) -> int:
        """Counts the classes visible: those annotated, or without annotations those predicted."""

    @abstractmethod
    def legend(self, scenes: list[S]) -> list[tuple[str, Colour]]:
        """Names and RGB colours that explain pictures of these scenes."""

    @abstractmethod
    def remark(self, scenes: list[S]) -> str:
        """One line that says what the lines and areas in pictures of these scenes mean."""

    def name(self, label: int) -> str:
        """Name of a class."""
        return str(self.classes[label]) if label < len(self.classes) else f'class {label}'

    def colour(self, label: int) -> Colour:
        """RGB of a class, 0..255."""
        return self.colours[label] if label < len(self.colours) else distinct_colour(int(label))


def class_colours(dataset_meta: Mapping[str, Any]) -> list[Colour]:
    """RGB of every class of a dataset's ``metainfo``, 0..255.

    They are those of its ``palette`` if that has one for each class, and else distinct ones of our own: mmdet passes on
    the 80 colours of COCO with whatever classes a config names, and the first of them are hard to tell apart.
    """
    count = len(dataset_meta.get('classes') or ())
    palette = dataset_meta.get('palette')
    # A checkpoint or a file may say anything.
    if isinstance(palette, list | tuple) and len(palette) == count and all(
            isinstance(one, list | tuple) and len(one) == 3 and all(part in range(256) for part in one)
            for one in palette):
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
