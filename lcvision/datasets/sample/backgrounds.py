"""Textured backgrounds, muted so that the objects stand out against them."""
from collections.abc import Callable

import cv2
import numpy as np

from lcvision.datasets.sample.colours import cloud_noise, hsv, pick, vary

Draw = Callable[[np.random.Generator, int, int], np.ndarray]


def _mix(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Go from the first colour or image to the second as the weight, (height, width), goes from 0 to 1."""
    weight = np.clip(weight, 0, 1).astype(np.float32)
    planes = []
    for channel in range(3):
        low, high = (np.asarray(part[..., channel], np.float32) for part in (first, second))
        planes.append(low + (high - low) * weight)
    return cv2.merge(planes)


def draw_grass(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A lawn with blades, lighter and darker patches."""
    patches = cloud_noise(rng, height, width, (70, 70))
    blades = cloud_noise(rng, height, width, (11, 2.5), 2)
    hue = rng.uniform(82, 112)
    return _mix(hsv(hue, 0.62, 0.34), hsv(hue - 16, 0.5, 0.62), 0.45 + 0.14 * patches + 0.17 * blades)


def draw_meadow(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Sky with clouds above hills and a meadow."""
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    hue = rng.uniform(202, 218)
    sky = _mix(hsv(hue, rng.uniform(0.5, 0.65), 0.86), hsv(hue - 6, 0.16, 0.98), rows + np.zeros((1, width)))
    clouds = cloud_noise(rng, height, width, (60, 130), 5)
    image = _mix(sky, np.array([252, 252, 254]), (clouds - 0.2) * 0.9 * (1.2 - rows))
    horizon = height * rng.uniform(0.62, 0.85)
    y = np.arange(height, dtype=np.float32)[:, None]
    for depth in range(2):
        ridge = horizon - (1 - depth) * height * 0.07 + cloud_noise(rng, 1, width, (1, width / 2.5), 2) * height * 0.03
        far = hsv(rng.uniform(120, 165), 0.28, 0.62) if depth == 0 else draw_grass(rng, height, width)
        image = _mix(image, far, y - ridge)
    return image


def draw_sky(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Open sky from noon blue to a warm evening."""
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None] + np.zeros((1, width), np.float32)
    top, bottom, cloud = pick(rng, (
        (hsv(212, 0.62, 0.82), hsv(204, 0.22, 0.97), (250, 251, 253)),
        (hsv(222, 0.42, 0.62), hsv(24, 0.36, 0.97), (252, 214, 190)),
        (hsv(205, 0.25, 0.72), hsv(205, 0.08, 0.9), (232, 236, 240)),
    ))
    image = _mix(vary(rng, top), vary(rng, bottom), rows)
    return _mix(image, np.array(cloud), (cloud_noise(rng, height, width, (65, 150), 5) - 0.1) * 0.75)


def draw_wood(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Planks of wood with grain, seams and a change of tone from board to board."""
    turned = rng.random() < 0.5
    rows, columns = (width, height) if turned else (height, width)
    plank = rng.uniform(38, 75)
    y = np.arange(rows, dtype=np.float32)[:, None] + rng.uniform(0, plank)
    board = np.floor(y / plank).astype(int)
    tones = rng.uniform(-0.22, 0.22, board.max() + 1).astype(np.float32)[board]
    grain = cloud_noise(rng, rows, columns, (7, 150), 3)
    rings = np.sin(y * 0.33 + 2.6 * cloud_noise(rng, rows, columns, (40, 260), 2) + board * 2.1)
    dark, light = pick(rng, (((116, 78, 48), (186, 140, 94)), ((150, 116, 82), (214, 184, 146)),
                             ((84, 62, 50), (140, 110, 90)), ((142, 138, 132), (196, 192, 184))))
    image = _mix(vary(rng, dark), vary(rng, light), 0.5 + tones + 0.13 * grain + 0.11 * rings)
    seam = np.minimum(y % plank, plank - y % plank)
    image *= (1 - 0.55 * np.exp(-(seam / 1.1) ** 2))[..., None]
    return image.transpose(1, 0, 2) if turned else image


def draw_plaster(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A painted wall: a soft fall of light over fine relief."""
    colour = hsv(rng.uniform(0, 360), rng.uniform(0.05, 0.28), rng.uniform(0.6, 0.88))
    relief = cloud_noise(rng, height, width, (6, 6), 2)
    relief = relief - np.roll(relief, (1, 1), (0, 1))
    slope = np.linspace(1, -1, height)[:, None] * rng.uniform(0, 0.1) + np.linspace(1, -1, width) * rng.uniform(-.1, .1)
    return colour * (1 + slope + 0.05 * cloud_noise(rng, height, width, (90, 90)) + 0.045 * relief)[..., None]


def _courses(rng: np.random.Generator, shape: tuple[int, int], brick: tuple[float, float], shift: float) -> tuple:
    """Distance of every pixel to the nearest joint, and one random number per brick."""
    y = np.arange(shape[0], dtype=np.float32)[:, None] + rng.uniform(0, brick[0])
    row = np.floor(y / brick[0]).astype(int)
    x = np.arange(shape[1], dtype=np.float32)[None] + shift * brick[1] * (row % 2) + rng.uniform(0, brick[1])
    column = np.floor(x / brick[1]).astype(int)
    down, right = y % brick[0], x % brick[1]
    joint = np.minimum(np.minimum(down, brick[0] - down), np.minimum(right, brick[1] - right))
    return joint, rng.standard_normal((row.max() + 1, column.max() + 1)).astype(np.float32)[row, column]


def draw_bricks(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A brick wall with mortar, old red or painted pale."""
    size = rng.uniform(17, 28)
    joint, tone = _courses(rng, (height, width), (size, size * 2.3), 0.5)
    brick, mortar = pick(rng, (((150, 92, 74), (188, 178, 166)), ((196, 186, 172), (164, 154, 142)),
                               ((128, 122, 120), (172, 170, 166))))
    rough = cloud_noise(rng, height, width, (9, 12), 3)
    wall = vary(rng, brick) * (1 + 0.1 * tone + 0.06 * rough)[..., None]
    return _mix(np.array(mortar) * (1 + 0.05 * rough)[..., None], wall, (joint - 1.2) / 1.3)


def draw_tiles(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Glazed tiles in one or two tones."""
    size = rng.uniform(30, 62)
    joint, tone = _courses(rng, (height, width), (size, size), 0)
    colour = hsv(rng.uniform(150, 260), rng.uniform(0.06, 0.3), rng.uniform(0.68, 0.88))
    sheen = np.linspace(0.07, -0.07, height)[:, None] + np.linspace(0.05, -0.05, width)
    tile = colour * (1 + 0.045 * tone + sheen + 0.02 * cloud_noise(rng, height, width, (50, 50)))[..., None]
    image = _mix(np.full(3, 214.0), tile, (joint - 1) / 1.2)
    return image * (1 + 0.06 * np.exp(-((joint - 3) / 1.5) ** 2))[..., None]


def draw_cloth(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A woven table cloth, striped or checked."""
    base = hsv(rng.uniform(0, 360), rng.uniform(0.05, 0.2), rng.uniform(0.78, 0.92))
    band = hsv(rng.uniform(0, 360), rng.uniform(0.2, 0.45), rng.uniform(0.55, 0.8))
    period, duty = rng.uniform(22, 60), rng.uniform(0.3, 0.5)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    along = np.clip((np.sin(2 * np.pi * x / period) - np.cos(np.pi * duty)) * period / 5 + 0.5, 0, 1)
    across = np.clip((np.sin(2 * np.pi * y / period) - np.cos(np.pi * duty)) * period / 5 + 0.5, 0, 1)
    weight = 0.42 * (along + across) if rng.random() < 0.5 else 0.7 * along
    weave = 0.025 * (np.sin(x * 2.1) * np.sin(y * 2.1)) + 0.03 * cloud_noise(rng, height, width, (100, 60))
    return _mix(base, band, weight) * (1 + weave)[..., None]


def draw_sand(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Beach sand with ripples."""
    bend = cloud_noise(rng, height, width, (70, 110), 2)
    ripple = np.sin(np.arange(height)[:, None] * rng.uniform(0.22, 0.4) + 2.4 * bend)
    grains = rng.standard_normal((height, width), np.float32)
    colour = vary(rng, (212, 190, 150))
    return colour * (0.97 + 0.05 * ripple + 0.05 * bend + 0.035 * grains)[..., None]


def draw_asphalt(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Grey asphalt or concrete with grit and stains."""
    grit = rng.standard_normal((height, width), np.float32)
    colour = vary(rng, pick(rng, ((98, 100, 104), (150, 148, 144), (178, 174, 168))))
    return colour * (1 + 0.07 * cloud_noise(rng, height, width, (80, 80), 4) + 0.05 * grit)[..., None]


def draw_bokeh(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Out-of-focus discs of light over a dim gradient."""
    hue = rng.uniform(0, 360)
    slope = np.linspace(0, 1, height, dtype=np.float32)[:, None] + np.zeros((1, width), np.float32)
    image = np.ascontiguousarray(_mix(hsv(hue, 0.4, 0.32), hsv(hue + rng.uniform(-50, 50), 0.35, 0.58), slope))
    for _ in range(int(rng.integers(14, 26))):
        disc = np.zeros((height, width), np.float32)
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(disc, centre, int(rng.integers(6, 26)), 1.0, -1, cv2.LINE_AA)
        image = _mix(image, hsv(hue + rng.uniform(-40, 40), 0.3, 0.95), disc * rng.uniform(0.06, 0.2))
    return cv2.GaussianBlur(image, (0, 0), 1.6)


def draw_interior(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A wall above a table or a floor."""
    image = pick(rng, (draw_plaster, draw_bricks, draw_tiles))(rng, height, width)
    edge = int(height * rng.uniform(0.45, 0.7))
    image[edge:] = pick(rng, (draw_wood, draw_cloth, draw_wood))(rng, height - edge, width)
    y = np.arange(height, dtype=np.float32)[:, None]
    shade = 0.3 * np.exp(-np.clip(y - edge, 0, None) / 14) * (y >= edge) + 0.12 * np.exp(-np.abs(y - edge) / 25)
    return image * (1 - shade)[..., None]


GROUND: tuple[Draw, ...] = (draw_grass, draw_wood, draw_plaster, draw_bricks, draw_tiles, draw_cloth, draw_sand,
                            draw_asphalt, draw_interior, draw_interior)
AIR: tuple[Draw, ...] = (draw_meadow, draw_meadow, draw_sky, draw_bokeh)


def draw_background(
    rng: np.random.Generator, height: int, width: int, only_surface: bool = False
) -> tuple[np.ndarray, bool]:
    """Paint a background of a random kind.

    Args:
        rng: Source of randomness.
        height: Rows, in pixels.
        width: Columns, in pixels.
        only_surface: Whether to leave out the open views, before which things seem to float.

    Returns:
        The image, (height, width, 3), float32 RGB 0..255, and whether it is a surface that catches shadows.
    """
    surface = bool(rng.random() < 0.72) or only_surface
    image = pick(rng, GROUND if surface else AIR)(rng, height, width)
    return np.ascontiguousarray(np.clip(image, 0, 255), np.float32), surface
