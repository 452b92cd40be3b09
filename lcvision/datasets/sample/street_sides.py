"""What stands along a street: houses, walls, fences and hedges."""
from collections.abc import Callable

import cv2
import numpy as np

from lcvision.datasets.sample.colours import cloud_noise, hsv, pick, vary
from lcvision.datasets.sample.street_canvas import NEAREST, Label, StreetCanvas

# Texels to the metre of a facade near by; a distant one needs fewer.
_TEXELS = 14


def draw_panel(canvas: StreetCanvas, texture: np.ndarray, corners: np.ndarray, label: int,
               alpha: np.ndarray | None = None) -> None:
    """Puts a texture on a rectangle of the street.

    Args:
        canvas: What is painted on.
        texture: RGB, float32, (height, width, 3).
        corners: Upper left, upper right, lower right and lower left, (4, 3), in metres.
        label: Class of the whole rectangle.
        alpha: Opacity of the texture's pixels, (height, width); None is opaque.
    """
    if corners[:, 2].min() < NEAREST:
        return
    points = canvas.camera.project(corners)
    found = canvas.window(points)
    if found is None:
        return
    window, offset = found
    size = window[1].stop - window[1].start, window[0].stop - window[0].start
    rows, columns = texture.shape[:2]
    source = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    matrix = cv2.getPerspectiveTransform(source - 0.5, (points - offset - 0.5).astype(np.float32))
    rgb = cv2.warpPerspective(texture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colour = canvas.faded(rgb, float(corners[:, 2].mean()))
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round((np.clip(points, -4000, 4000) - offset - 0.5) * 64).astype(np.int32)], 255,
                 cv2.LINE_AA, 6)
    weight = mask.astype(np.float32) / 255
    canvas.labels[window][weight > 0.5] = label
    if alpha is not None:
        weight = weight * cv2.warpPerspective(alpha, matrix, size, flags=cv2.INTER_LINEAR)
    canvas.blend(window, weight, colour, None)


def upright(side: int, x: float, low: float, high: float, start: float, end: float) -> np.ndarray:
    """Corners of a rectangle along the street on a side, as it is seen from the road."""
    near, far = (start, end) if side < 0 else (end, start)
    return np.array([(x, high, near), (x, high, far), (x, low, far), (x, low, near)])


def across(x0: float, x1: float, low: float, high: float, z: float) -> np.ndarray:
    """Corners of a rectangle that faces the camera."""
    left, right = min(x0, x1), max(x0, x1)
    return np.array([(left, high, z), (right, high, z), (right, low, z), (left, low, z)])


def draw_house(rng: np.random.Generator, canvas: StreetCanvas, side: int, x: float, start: float, end: float) -> None:
    """A house with windows, and a roof or a flat top."""
    floors = int(rng.integers(2, 7))
    high = floors * rng.uniform(2.9, 3.4) + 0.8
    tone = pick(rng, (hsv(rng.uniform(10, 50), rng.uniform(0.08, 0.4), rng.uniform(0.6, 0.9)),
                      hsv(rng.uniform(0, 20), rng.uniform(0.35, 0.55), rng.uniform(0.45, 0.65)),
                      hsv(rng.uniform(0, 360), rng.uniform(0, 0.14), rng.uniform(0.55, 0.88))))
    deep = rng.uniform(8, 14)
    texels = float(np.clip(_TEXELS * 14 / start, 3, _TEXELS))
    if rng.random() < 0.5:
        peak, roof = high + rng.uniform(1.5, 3.5), vary(rng, pick(rng, ((138, 72, 56), (92, 86, 88), (70, 66, 70))))
        ridge = x + side * deep / 2
        canvas.face([(x, high, start), (x, high, end), (ridge, peak, end), (ridge, peak, start)],
                    roof * canvas.shade((-side * 0.5, 0.85, 0)), Label.BUILDING)
        canvas.face([(x, high, start), (ridge, peak, start), (x + side * deep, high, start)],
                    tone * canvas.shade((0, 0, -1)), Label.BUILDING)
    gable = _facade(rng, tone, deep, high, floors, texels, rng.random() < 0.5) * canvas.shade((0, 0, -1))
    draw_panel(canvas, gable, across(x, x + side * deep, 0, high, start), Label.BUILDING)
    front = _facade(rng, tone, end - start, high, floors, texels, True) * canvas.shade((-side, 0, 0))
    draw_panel(canvas, front, upright(side, x, 0, high, start, end), Label.BUILDING)


def _facade(rng: np.random.Generator, tone: np.ndarray, wide: float, high: float, floors: int, texels: float,
            windows: bool) -> np.ndarray:
    rows, columns = max(8, int(high * texels)), max(8, int(wide * texels))
    rough = 0.05 * cloud_noise(rng, rows, columns, (rows / 2, columns / 3), 4)
    texture = (tone * (1 + rough)[..., None]).astype(np.float32)
    texture *= np.linspace(1.04, 0.9, rows, dtype=np.float32)[:, None, None]
    texture[:max(1, int(0.35 * texels))] *= 1.16
    if not windows:
        return texture
    bays = max(1, round(wide / rng.uniform(2.1, 3.4)))
    step_y, step_x = (rows - 0.4 * texels) / floors, columns / bays
    size = rng.uniform(0.42, 0.62) * step_y, rng.uniform(0.35, 0.6) * step_x
    glass, frame = hsv(rng.uniform(195, 225), rng.uniform(0.15, 0.4), rng.uniform(0.2, 0.5)), vary(rng, tone * 1.3)
    shop = rng.random() < 0.5
    for floor in range(floors):
        for bay in range(bays):
            y, x = 0.4 * texels + (floor + 0.5) * step_y, (bay + 0.5) * step_x
            tall, broad = size
            if floor == floors - 1 and shop:
                tall, broad = 0.74 * step_y, 0.84 * step_x
            _rectangle(texture, y, x, tall + 0.24 * texels, broad + 0.24 * texels, frame)
            _rectangle(texture, y, x, tall, broad, vary(rng, glass * rng.choice([0.8, 1, 1.5]), 14))
    return texture


def _rectangle(texture: np.ndarray, y: float, x: float, tall: float, broad: float, colour: np.ndarray) -> None:
    top, left = max(0, round(y - tall / 2)), max(0, round(x - broad / 2))
    texture[top:max(top + 1, round(y + tall / 2)), left:max(left + 1, round(x + broad / 2))] = colour


def draw_wall(rng: np.random.Generator, canvas: StreetCanvas, side: int, x: float, start: float, end: float) -> None:
    """A wall of bricks or concrete with a coping."""
    high, texels = rng.uniform(1.4, 3), float(np.clip(_TEXELS * 14 / start, 3, _TEXELS))
    rows, columns = max(6, int(high * texels)), max(6, int((end - start) * texels))
    tone = vary(rng, pick(rng, ((158, 106, 86), (150, 148, 144), (178, 170, 156))))
    texture = tone * (1 + 0.08 * cloud_noise(rng, rows, columns, (6, 14), 3))[..., None]
    course = max(3, int(0.4 * texels))
    texture[::course] *= 0.8
    texture[:max(1, rows // 12)] = tone * 1.15
    texture = texture.astype(np.float32)
    draw_panel(canvas, texture * canvas.shade((-side, 0, 0)), upright(side, x, 0, high, start, end), Label.WALL)


def draw_fence(rng: np.random.Generator, canvas: StreetCanvas, side: int, x: float, start: float, end: float) -> None:
    """A fence of bars between rails, through which one sees; all of it is fence."""
    high, texels = rng.uniform(1.1, 1.9), float(np.clip(_TEXELS * 20 / start, 6, 1.5 * _TEXELS))
    rows, columns = int(high * texels), int((end - start) * texels)
    tone = vary(rng, pick(rng, ((54, 60, 58), (196, 196, 192), (122, 92, 66), (60, 90, 70))))
    gap = max(3, int(rng.uniform(0.18, 0.4) * texels))
    alpha = np.full((rows, columns), 0.08, np.float32)
    alpha[:, np.arange(columns) % gap < max(1, gap // 3)] = 1
    for row in (0.04, 0.5, 0.92):
        alpha[int(row * rows):int(row * rows) + max(1, rows // 14)] = 1
    texture = np.broadcast_to(tone.astype(np.float32), (rows, columns, 3)).copy()
    draw_panel(canvas, texture * canvas.shade((-side, 0, 0)), upright(side, x, 0, high, start, end), Label.FENCE, alpha)


def draw_hedge(rng: np.random.Generator, canvas: StreetCanvas, side: int, x: float, start: float, end: float) -> None:
    """A clipped hedge or a thicket."""
    high, texels = rng.uniform(1.1, 3.5), float(np.clip(_TEXELS * 14 / start, 4, _TEXELS))
    colour = hsv(rng.uniform(75, 130), rng.uniform(0.35, 0.6), rng.uniform(0.26, 0.45))
    for corners, normal in ((across(x, x + side * 3, 0, high, start), (0, 0, -1)),
                            (upright(side, x, 0, high, start, end), (-side, 0, 0))):
        size = (max(6, int(high * texels)), max(6, int(np.abs(corners[0] - corners[1]).max() * texels)))
        leaves = colour * (1 + 0.2 * cloud_noise(rng, *size, (6, 6), 3))[..., None]
        leaves = np.clip(leaves, 8, 255) * np.linspace(1.15, 0.7, size[0])[:, None, None] * canvas.shade(normal)
        draw_panel(canvas, leaves.astype(np.float32), corners, Label.VEGETATION)


Draw = Callable[[np.random.Generator, StreetCanvas, int, float, float, float], None]
