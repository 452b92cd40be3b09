"""A small square canvas with transparency, on which one object is painted before it enters a scene."""
from collections.abc import Sequence

import cv2
import numpy as np

Colour = Sequence[float] | np.ndarray
Points = Sequence[Sequence[float]] | Sequence[np.ndarray] | np.ndarray
_SHIFT = 6


def _column(colour: Colour) -> np.ndarray:
    return np.asarray(colour, np.float32).reshape(3, 1, 1)


class Sprite:
    """A premultiplied RGBA canvas whose coordinates run from -1 to 1, x to the right and y downwards.

    Shape methods return masks in [0, 1] with smooth edges; painting methods change the canvas. Light falls from the
    upper left in all of them, so that objects of one scene agree.

    Args:
        pixels: Side of the canvas, in pixels.
    """

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels
        axis = (np.arange(pixels, dtype=np.float32) + 0.5) * (2 / pixels) - 1
        self.x, self.y = np.meshgrid(axis, axis)
        # Planes, not pixels: blending them is several times as fast.
        self.rgb = np.zeros((3, pixels, pixels), np.float32)
        self.alpha = np.zeros((pixels, pixels), np.float32)

    def ellipse(self, cx: float, cy: float, rx: float, ry: float | None = None) -> np.ndarray:
        """Mask of a disc, or of an upright ellipse when `ry` is given."""
        ry = rx if ry is None else ry
        distance = np.sqrt(((self.x - cx) / rx) ** 2 + ((self.y - cy) / ry) ** 2)
        return np.clip(0.5 + (1 - distance) * (min(rx, ry) * self.pixels / 2), 0, 1)

    def polygon(self, points: Points) -> np.ndarray:
        """Mask of a filled polygon."""
        mask = np.zeros((self.pixels, self.pixels), np.uint8)
        cv2.fillPoly(mask, [self._fixed_point(points)], 255, cv2.LINE_AA, _SHIFT)
        return mask.astype(np.float32) / 255

    def stroke(self, points: Points, width: float, closed: bool = False) -> np.ndarray:
        """Mask of a line with round ends; `width` in canvas units, never thinner than a pixel."""
        mask = np.zeros((self.pixels, self.pixels), np.uint8)
        thickness = max(1, round(width * self.pixels / 2))
        cv2.polylines(mask, [self._fixed_point(points)], closed, 255, thickness, cv2.LINE_AA, _SHIFT)
        return mask.astype(np.float32) / 255

    def paint(self, mask: np.ndarray, colour: Colour, opacity: float = 1.0) -> None:
        """Lay a colour, RGB 0..255, over the canvas where the mask says so."""
        window, weight = self._weigh(mask, opacity)
        self.rgb[(..., *window)] *= 1 - weight
        self.rgb[(..., *window)] += weight * _column(colour)
        self.alpha[window] += weight * (1 - self.alpha[window])

    def tint(self, mask: np.ndarray, colour: Colour, opacity: float = 1.0) -> None:
        """Like `paint`, but only on what is there already: the outline of the object stays."""
        window, weight = self._weigh(mask, opacity)
        self.rgb[(..., *window)] *= 1 - weight
        self.rgb[(..., *window)] += (weight * self.alpha[window]) * _column(colour)

    def cut(self, mask: np.ndarray) -> None:
        """Make the canvas transparent where the mask says so."""
        self.rgb *= 1 - mask
        self.alpha *= 1 - mask

    def light(self, factor: np.ndarray) -> None:
        """Multiply the brightness of every pixel."""
        self.rgb *= factor

    def light_ball(self, cx: float, cy: float, radius: float, strength: float) -> None:
        """Shade a ball: brighter at the upper left, darker towards the opposite rim."""
        u, v = (self.x - cx) / radius, (self.y - cy) / radius
        slope = -0.55 * u - 0.7 * v
        self.light(1 + strength * np.clip(slope - 0.35 * (u * u + v * v), -1.2, 0.5))

    def light_slope(self, dx: float, dy: float, strength: float) -> None:
        """Shade linearly, brighter in the direction (dx, dy)."""
        self.light(1 + strength * (dx * self.x + dy * self.y))

    def gloss(self, cx: float, cy: float, rx: float, ry: float, opacity: float) -> None:
        """Add a soft white highlight."""
        glow = np.exp(-((self.x - cx) / rx) ** 2 - ((self.y - cy) / ry) ** 2)
        self.tint(glow, (255, 255, 255), opacity)

    def bevel(self, width: float, strength: float) -> None:
        """Round the edges: lit rims at the upper left, dark rims at the lower right."""
        sigma = max(0.6, width * self.pixels / 4)
        soft = cv2.GaussianBlur(self.alpha, (0, 0), sigma)
        step = max(1, round(sigma))
        relief = np.zeros_like(soft)
        relief[step:-step, step:-step] = soft[2 * step:, 2 * step:] - soft[:-2 * step, :-2 * step]
        self.light(1 + strength * np.clip(relief, -0.6, 0.6))

    @staticmethod
    def _weigh(mask: np.ndarray, opacity: float) -> tuple[tuple[slice, slice], np.ndarray]:
        """The window outside which the mask is as good as zero, and the opacity within it."""
        x, y, width, height = cv2.boundingRect((mask > 1e-3).view(np.uint8))
        window = slice(y, y + height), slice(x, x + width)
        return window, mask[window].astype(np.float32) * np.float32(opacity)

    def _fixed_point(self, points: Points) -> np.ndarray:
        pixels = (np.asarray(points, np.float32) + 1) * (self.pixels / 2) - 0.5
        return np.round(pixels * (1 << _SHIFT)).astype(np.int32)
