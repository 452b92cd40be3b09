"""What a task brings to be seen in pictures."""
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from mmengine.structures import BaseDataElement

from lcvision.visualization.palette import Colour, class_colours, distinct_colour
from lcvision.visualization.style import Style

S = TypeVar('S')


class Painter(ABC, Generic[S]):
    """Draws a scene: all there is to draw on an image, and nothing else.

    Args:
        dataset_meta: A dataset's ``metainfo`` with ``classes`` and perhaps ``palette``, RGB of 0..255.
    """

    def __init__(self, dataset_meta: Mapping[str, Any]) -> None:
        self.classes = tuple(dataset_meta.get('classes') or ())
        self.colours = class_colours(dataset_meta)

    @abstractmethod
    def read(self, sample: BaseDataElement) -> S:
        """Takes a scene out of a data sample."""

    @abstractmethod
    def paint(self, image: np.ndarray, scene: S, style: Style | None = None) -> np.ndarray:
        """Draws a scene.

        Args:
            image: The image in any size, BGR uint8 of shape (H, W, 3), changed in place.
            scene: What to draw.
            style: Sizes of lines and letters; None for some that suit the image, which is then enlarged where letters
                would not fit and gets a legend below where it needs one.

        Returns:
            ``image``, or without ``style`` perhaps a larger one.
        """

    @abstractmethod
    def variety(self, scene: S) -> int:
        """Counts the classes to be seen: those annotated, or without annotations those predicted."""

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
