"""Textured shapes on a textured ground, which the rendered sets of all tasks show.

Images are RGB of 0..255, float32 while they are drawn; sizes are (height, width) in pixels.
"""
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

NAMES = ('disc', 'triangle', 'square', 'cross', 'star', 'heart', 'flower', 'gear')
TINTS = ((230, 120, 40), (60, 190, 90), (60, 110, 220), (225, 50, 60), (240, 205, 60), (235, 90, 160), (150, 80, 210),
         (120, 130, 140))
SIZES = ((240, 320), (320, 320), (320, 240), (288, 384), (416, 416), (384, 288))
_SHARE_VISIBLE = 0.85

Size = tuple[int, int]


class Instance(NamedTuple):
    """Something to be found: its index in ``NAMES``, its visible pixels, bool (height, width), if it is a crowd."""

    label: int
    mask: np.ndarray
    crowd: bool = False


def render_shapes(rng: np.random.Generator, size: Size | None = None, empty: bool = False,
                  crowd: bool = False) -> tuple[np.ndarray, list[Instance]]:
    """Renders a ground with shapes that may hide one another a little: uint8 RGB, and what is to be found.

    Args:
        rng: Source of all randomness.
        size: Of the image; None for one of ``SIZES``.
        empty, crowd: Whether nothing lies there, or a field of small shapes that is a region to be ignored.
    """
    image = _ground(rng, size or SIZES[rng.integers(len(SIZES))])
    instances: list[Instance] = []
    if crowd:
        _add_crowd(rng, image, instances)
    for _ in range(0 if empty else rng.integers(2, 7)):
        _add_shape(rng, image, instances)
    return _develop(rng, image), instances


def render_one_shape(rng: np.random.Generator, size: Size, label: int) -> np.ndarray:
    """Renders a ground with one shape, large and in the middle: uint8 RGB."""
    image = _ground(rng, size)
    extent = rng.uniform(0.5, 0.95) * min(size)
    _paint(rng, image, _place(rng, label, extent, rng.uniform(0.42, 0.58, 2) * size[::-1]), TINTS[label])
    return _develop(rng, image)


def outline(label: int) -> np.ndarray:
    """A shape around the origin, within the unit circle: points x, y, (180, 2)."""
    angle = np.linspace(-np.pi, np.pi, 180, endpoint=False) + 1e-6
    sine, cosine = np.abs(np.sin(angle)), np.abs(np.cos(angle))
    radius = (
        np.ones_like(angle),
        0.5 / np.cos(np.mod(angle + np.pi / 2, 2 * np.pi / 3) - np.pi / 3),
        1 / np.maximum(sine, cosine),
        np.maximum(np.minimum(1 / cosine, 0.32 / sine), np.minimum(1 / sine, 0.32 / cosine)),
        0.36 + 0.64 * np.abs(np.mod(angle * 5 / np.pi + 1.5, 2) - 1) ** 1.7,
        2 - 2 * np.sin(angle) + np.sin(angle) * np.sqrt(cosine) / (1.4 + np.sin(angle)),
        0.76 + 0.24 * np.cos(6 * angle),
        0.87 + 0.13 * np.tanh(6 * np.sin(10 * angle)),
    )[label]
    points = np.stack([np.cos(angle), -np.sin(angle)], 1) * radius[:, None]
    points -= (points.min(0) + points.max(0)) / 2
    return points / np.linalg.norm(points, axis=1).max()


def _place(rng: np.random.Generator, label: int, extent: float, centre: np.ndarray) -> np.ndarray:
    turn = rng.uniform(-0.6, 0.6)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return outline(label) * (1, rng.uniform(0.75, 1)) @ rotation * extent / 2 + centre


def _add_shape(rng: np.random.Generator, image: np.ndarray, instances: list[Instance]) -> None:
    shape, label = np.array(image.shape[1::-1]), int(rng.integers(len(NAMES)))
    for _ in range(12):
        extent = max(14, float(np.exp(rng.uniform(np.log(0.18), np.log(0.42)))) * max(shape))
        points = _place(rng, label, extent, rng.uniform(0.08, 0.92, 2) * shape)
        box = np.zeros(image.shape[:2], bool)
        low, high = np.maximum(points.min(0), 0).astype(int), np.minimum(points.max(0), shape).astype(int)
        box[low[1]:high[1], low[0]:high[0]] = True
        inside = np.prod(high - low) > 0.85 * np.prod(np.ptp(points, 0))
        if inside and all((one.mask & ~box).sum() > _SHARE_VISIBLE * one.mask.sum() for one in instances):
            covered = _paint(rng, image, points, TINTS[label])
            for one in instances:
                one.mask[covered] = False
            instances.append(Instance(label, covered))
            return


def _add_crowd(rng: np.random.Generator, image: np.ndarray, instances: list[Instance]) -> None:
    side, label, rows = 0.5 * min(image.shape[:2]), int(rng.integers(len(NAMES))), int(rng.integers(4, 7))
    corner = rng.uniform(0, np.array(image.shape[1::-1]) - side)
    region = np.zeros(image.shape[:2], bool)
    for place in np.ndindex(rows, rows):
        centre = corner + (np.array(place) + rng.uniform(0.4, 0.6, 2)) * side / rows
        region |= _paint(rng, image, _place(rng, label, 0.9 * side / rows, centre), TINTS[label])
    instances.append(Instance(label, region, crowd=True))


def _noise(rng: np.random.Generator, size: Size, cells: int) -> np.ndarray:
    """Smooth noise between about -1 and 1, with so many patches along the shorter side."""
    step = min(size) / cells
    grid = rng.uniform(-1, 1, (int(size[0] / step) + 2, int(size[1] / step) + 2)).astype(np.float32)
    return cv2.resize(grid, size[::-1], interpolation=cv2.INTER_CUBIC)


def _texture(rng: np.random.Generator, size: Size, tint: Sequence[float] | None = None) -> np.ndarray:
    """Two colours, the first near ``tint``, in stripes, checks, spots or clouds."""
    y, x = np.mgrid[:size[0], :size[1]].astype(np.float32)
    turn, period = rng.uniform(0, np.pi), max(size) / rng.uniform(3, 9)
    u, v = (np.sin((x * c + y * s) * 2 * np.pi / period) for c, s in ((np.cos(turn), np.sin(turn)),
                                                                      (-np.sin(turn), np.cos(turn))))
    pattern = (u, u * v, np.maximum(u, v), _noise(rng, size, 4))[rng.integers(4)]
    share = np.clip(0.5 + pattern * rng.uniform(0.3, 2), 0, 1)[..., None]
    first, second = rng.uniform(25, 235, (2, 3))
    if tint is not None:
        first = 0.3 * first + 0.7 * np.array(tint)
    grain = 6 * _noise(rng, size, 5) + rng.normal(0, 3, size)
    return (share * first + (1 - share) * (0.4 * first + 0.6 * second) + grain[..., None]).astype(np.float32)


def _ground(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A pale texture, lit unevenly, with a few scratches."""
    image = 0.25 * _texture(rng, size) + rng.uniform(40, 150) + 25 * _noise(rng, size, 2)[..., None]
    for _ in range(rng.integers(0, 4)):
        middle, reach = rng.uniform(0, 1, 2) * size[::-1], rng.uniform(0.02, 0.3) * max(size)
        start, end = (middle + np.outer((-1, 1), rng.normal(0, 1, 2)) * reach).astype(int).tolist()
        cv2.line(image, start, end, rng.uniform(20, 230, 3).tolist(), int(rng.integers(1, 5)), cv2.LINE_AA)
    return image


def _coverage(points: np.ndarray, size: Size) -> np.ndarray:
    """Share of each pixel that a polygon covers, float32."""
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def _paint(rng: np.random.Generator, image: np.ndarray, points: np.ndarray, tint: Sequence[float]) -> np.ndarray:
    """Paints a textured body with rounded rims and a shadow; returns the pixels that it covers, bool."""
    height, width = image.shape[:2]
    extent = float(np.ptp(points, 0).max())
    low = np.maximum(points.min(0) - 2, 0).astype(int)
    high = np.minimum(points.max(0) + 0.15 * extent + 4, (width, height)).astype(int)
    box, size = np.s_[low[1]:high[1], low[0]:high[0]], (high[1] - low[1], high[0] - low[0])
    alpha = _coverage(points - low, size)
    cast = _coverage(points - low + (0.04 * extent, 0.05 * extent), size)
    shadow = cv2.GaussianBlur(cast, (0, 0), 0.03 * extent + 0.5)
    depth = cv2.GaussianBlur(alpha, (0, 0), 0.05 * extent + 0.5)
    sun = np.linspace(1.15, 0.85, size[0], dtype=np.float32)[:, None]
    body = _texture(rng, size, tint) * ((0.35 + 0.65 * depth) * sun)[..., None]
    image[box] = image[box] * (1 - 0.45 * shadow[..., None]) * (1 - alpha[..., None]) + body * alpha[..., None]
    covered = np.zeros((height, width), bool)
    covered[box] = alpha > 0.5
    return covered


def _develop(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """What a camera makes of an image: light, colour cast and sensor noise; uint8."""
    light = rng.uniform(0.75, 1.15) * rng.uniform(0.94, 1.06, 3)
    return np.clip(image * light + rng.normal(0, rng.uniform(1, 4), image.shape), 0, 255).astype(np.uint8)
