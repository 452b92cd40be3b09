"""A picture in the making: a background onto which objects are laid, and what stays visible of each."""
from dataclasses import dataclass

import cv2
import numpy as np

from lcvision.datasets.sample.colours import cloud_noise
from lcvision.datasets.sample.objects import Category
from lcvision.datasets.sample.sprite import Sprite

MIN_SIDE = 8
MIN_VISIBLE = 0.25


@dataclass
class Instance:
    """One annotated thing of a scene.

    Args:
        category: What it is.
        mask: Pixels of the image that show it, bool (height, width).
        whole: Area it would show were nothing in front and the image endless, in pixels.
        crowd: Whether this is a region full of such things instead of one.
    """

    category: Category
    mask: np.ndarray
    whole: int
    crowd: bool = False


@dataclass(frozen=True)
class Layer:
    """A turned and scaled object, ready to be laid down; `rgb` is premultiplied by `alpha`."""

    rgb: np.ndarray
    alpha: np.ndarray
    size: float


def cast(sprite: Sprite, size: float, turn: float = 0.0, squeeze: float = 1.0, gain: float = 1.0) -> Layer:
    """Turn and scale a sprite.

    Args:
        sprite: The painted object.
        size: Length of the side of its canvas in the image, in pixels.
        turn: Clockwise turn, in degrees.
        squeeze: Factor on its width, as if seen from the side.
        gain: Factor on its brightness.
    """
    angle = np.radians(turn)
    cos, sin = np.cos(angle), np.sin(angle)
    extent = int(np.ceil(size * (abs(cos) + abs(sin)))) + 4
    matrix = np.array([[cos * squeeze, -sin], [sin * squeeze, cos]]) * (size / sprite.pixels)
    offset = (extent - 1) / 2 - matrix @ np.full(2, (sprite.pixels - 1) / 2)
    affine = np.concatenate([matrix, offset[:, None]], 1)
    rgb, alpha = (cv2.warpAffine(plane, affine, (extent, extent), flags=cv2.INTER_LINEAR)
                  for plane in (np.ascontiguousarray(sprite.rgb.transpose(1, 2, 0)), sprite.alpha))
    return Layer(rgb * gain, alpha, size)


class Scene:
    """An image together with the visible part of every object on it.

    Args:
        image: Background, float32 RGB 0..255, (height, width, 3); painted over in place.
        surface: Whether the background is close behind the objects, so that they cast shadows on it.
    """

    def __init__(self, image: np.ndarray, surface: bool) -> None:
        self.image = image
        self.surface = surface
        self.instances: list[Instance] = []

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.shape[0], self.image.shape[1]

    def try_add(
        self, layer: Layer, centre: tuple[float, float], category: Category | None, keep: float, inside: float
    ) -> bool:
        """Lay an object on top, unless that would hide too much.

        Args:
            layer: The object.
            centre: Where its middle goes, (x, y) in pixels.
            category: What it is; None for things without annotation.
            keep: Fraction of every object already there that has to stay visible, at least `MIN_VISIBLE`.
            inside: Fraction of the object that has to lie within the image.

        Returns:
            Whether it was laid down.
        """
        mask, whole = self.footprint(layer, centre)
        visible = int(mask.sum())
        if whole == 0 or visible < max(inside, MIN_VISIBLE) * whole or (category and not self._large_enough(mask)):
            return False
        remaining = [instance.mask & ~mask for instance in self.instances]
        for instance, rest in zip(self.instances, remaining, strict=True):
            limit = max(keep, MIN_VISIBLE) * instance.whole
            touched = rest.sum() < instance.mask.sum()
            if touched and (rest.sum() < limit or not self._large_enough(rest)):
                return False
        for instance, rest in zip(self.instances, remaining, strict=True):
            instance.mask = rest
        self.lay(layer, centre)
        if category:
            self.instances.append(Instance(category, mask, whole))
        return True

    def footprint(self, layer: Layer, centre: tuple[float, float]) -> tuple[np.ndarray, int]:
        """Pixels of the image that the layer would cover, and its area were the image endless."""
        mask = np.zeros(self.shape, bool)
        target, source = self._overlap(layer, centre)
        solid = layer.alpha > 0.5
        mask[target] = solid[source]
        return mask, int(solid.sum())

    def lay(self, layer: Layer, centre: tuple[float, float]) -> None:
        """Paint the layer, and its shadow where the background is a surface, without asking."""
        if self.surface:
            self._cast_shadow(layer, centre)
        target, source = self._overlap(layer, centre)
        self.image[target] *= (1 - layer.alpha[source])[..., None]
        self.image[target] += layer.rgb[source]

    def finish(self, rng: np.random.Generator) -> np.ndarray:
        """Light the whole picture, add lens and sensor flaws and return it as uint8 RGB."""
        height, width = self.shape
        y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
        corner = 1 - rng.uniform(0.02, 0.2) * (x * x + y * y) / 2
        fall = 1 + rng.uniform(-0.07, 0.07) * x + rng.uniform(-0.07, 0.07) * y
        image = self.image / 255 * (corner * fall * rng.uniform(0.92, 1.1)).astype(np.float32)[..., None]
        image = np.asarray(cv2.pow(np.clip(image, 0, 1), rng.uniform(0.88, 1.14)), np.float32)
        image *= rng.uniform(0.96, 1.04, 3).astype(np.float32)
        if rng.random() < 0.2:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 0.8)), np.float32)
        noise = rng.standard_normal((height, width), np.float32) + 0.5 * cloud_noise(rng, height, width, (3, 3), 1)
        image += (noise * rng.uniform(0.002, 0.012)).astype(np.float32)[..., None]
        return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)

    def _cast_shadow(self, layer: Layer, centre: tuple[float, float]) -> None:
        sigma = 0.6 + 0.035 * layer.size
        margin = int(np.ceil(3 * sigma))
        shadow = cv2.GaussianBlur(np.pad(layer.alpha, margin), (0, 0), sigma)
        shift = 0.045 * layer.size
        target, source = self._overlap(Layer(shadow, shadow, layer.size), (centre[0] + shift, centre[1] + 1.4 * shift))
        self.image[target] *= (1 - 0.5 * shadow[source])[..., None]

    def _overlap(self, layer: Layer, centre: tuple[float, float]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Slices of the image and of the layer where they meet."""
        target, source = [], []
        for size, extent, middle in zip(self.shape, layer.alpha.shape, centre[::-1], strict=True):
            start = round(middle - extent / 2)
            low, high = max(start, 0), max(min(start + extent, size), max(start, 0))
            target.append(slice(low, high))
            source.append(slice(low - start, high - start))
        return tuple(target), tuple(source)

    @staticmethod
    def _large_enough(mask: np.ndarray) -> bool:
        _, _, width, height = cv2.boundingRect(mask.view(np.uint8))
        return min(width, height) >= MIN_SIDE
