"""What a task must provide to be drawn, and the sizes of what is drawn."""
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import numpy as np

from lcvision.visualization.palette import Colour, class_colours, distinct_colour

if TYPE_CHECKING:
    from mmengine.structures import BaseDataElement

# A string, since pictures are drawn without mmengine, too.
DataSample: TypeAlias = 'BaseDataElement'
S = TypeVar('S')


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
