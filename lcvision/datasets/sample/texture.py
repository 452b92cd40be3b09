"""Random textures and paint, the material of every rendered picture; shapes are (height, width) in pixels."""
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

_COMPRESSION = {'.jpg': [cv2.IMWRITE_JPEG_QUALITY, 93], '.png': [cv2.IMWRITE_PNG_COMPRESSION, 4]}


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> np.ndarray:
    """Smooth noise between about -1 and 1, with so many patches along the shorter side."""
    step = min(shape) / cells
    grid = rng.uniform(-1, 1, (int(shape[0] / step) + 2, int(shape[1] / step) + 2)).astype(np.float32)
    return cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC)


def texture(rng: np.random.Generator, shape: tuple[int, int], tint: Sequence[float] | None = None) -> np.ndarray:
    """Two colours, the first near ``tint``, in stripes, checks, spots or clouds: float32 RGB of 0..255."""
    y, x = np.mgrid[:shape[0], :shape[1]].astype(np.float32)
    turn, period = rng.uniform(0, np.pi), max(shape) / rng.uniform(3, 9)
    u, v = (np.sin((x * c + y * s) * 2 * np.pi / period) for c, s in ((np.cos(turn), np.sin(turn)),
                                                                      (-np.sin(turn), np.cos(turn))))
    pattern = (u, u * v, np.maximum(u, v), noise(rng, shape, 4))[rng.integers(4)]
    share = np.clip(0.5 + pattern * rng.uniform(0.3, 2), 0, 1)[..., None]
    first, second = rng.uniform(25, 235, (2, 3))
    if tint is not None:
        first = 0.3 * first + 0.7 * np.array(tint)
    grain = 6 * noise(rng, shape, 5) + rng.normal(0, 3, shape)
    return (share * first + (1 - share) * (0.4 * first + 0.6 * second) + grain[..., None]).astype(np.float32)


def _coverage(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Share of each pixel that a polygon covers, float32."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def paint(rng: np.random.Generator, image: np.ndarray, points: np.ndarray, tint: Sequence[float]) -> np.ndarray:
    """Paints a textured body with rounded rims and a shadow onto a float32 image.

    Args:
        rng: Source of all randomness.
        image: Changed in place.
        points: Outline x, y in pixels, (n, 2).
        tint: RGB near its colour.

    Returns:
        The pixels that it covers, bool (height, width).
    """
    height, width = image.shape[:2]
    size = float(np.ptp(points, 0).max())
    low = np.maximum(points.min(0) - 2, 0).astype(int)
    high = np.minimum(points.max(0) + 0.15 * size + 4, (width, height)).astype(int)
    box, shape = np.s_[low[1]:high[1], low[0]:high[0]], (high[1] - low[1], high[0] - low[0])
    alpha = _coverage(points - low, shape)
    shadow = cv2.GaussianBlur(_coverage(points - low + (0.04 * size, 0.05 * size), shape), (0, 0), 0.03 * size + 0.5)
    depth = cv2.GaussianBlur(alpha, (0, 0), 0.05 * size + 0.5)
    sun = np.linspace(1.15, 0.85, shape[0], dtype=np.float32)[:, None]
    body = texture(rng, shape, tint) * ((0.35 + 0.65 * depth) * sun)[..., None]
    ground = image[box] * (1 - 0.45 * shadow[..., None])
    image[box] = ground * (1 - alpha[..., None]) + body * alpha[..., None]
    covered = np.zeros((height, width), bool)
    covered[box] = alpha > 0.5
    return covered


def develop(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """What a camera makes of an image: light, colour cast and sensor noise; uint8."""
    light = rng.uniform(0.75, 1.15) * rng.uniform(0.94, 1.06, 3)
    return np.clip(image * light + rng.normal(0, rng.uniform(1, 4), image.shape), 0, 255).astype(np.uint8)


def write(path: Path, image: np.ndarray) -> None:
    """Writes an RGB image or a label map."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image[..., ::-1] if image.ndim == 3 else image, _COMPRESSION[path.suffix]):
        raise OSError(f'cannot write {path}')
