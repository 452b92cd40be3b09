"""Sizes of what is drawn on an image."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """Sizes that belong together.

    Attributes:
        font: Height of the text in pixels.
        line: Width of a predicted box's line in pixels.
        dash: Length of a dash of a true box in pixels.
    """

    font: int
    line: int
    dash: int

    @classmethod
    def for_image(cls, shape: tuple[int, ...]) -> 'Style':
        """Chooses sizes that look alike on small and large images.

        Args:
            shape: Height and width of the image in pixels.
        """
        side = (shape[0] * shape[1]) ** 0.5
        return cls(font=max(11, round(side / 40)), line=max(2, round(side / 300)), dash=max(4, round(side / 100)))
