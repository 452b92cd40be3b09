"""Things to play with and to carry: sports ball, kite and umbrella."""
import numpy as np

from lcvision.datasets.sample.colours import hsv, pick, vary
from lcvision.datasets.sample.sprite import Sprite


def _sphere(sprite: Sprite, rng: np.random.Generator, radius: float) -> np.ndarray:
    """Points of a randomly turned unit sphere behind every pixel, shape (pixels, pixels, 3)."""
    x, y = sprite.x / radius, sprite.y / radius
    points = np.stack([x, y, np.sqrt(np.clip(1 - x * x - y * y, 0, 1))], -1)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    return points @ turn.astype(np.float32)


def _football_faces() -> tuple[np.ndarray, np.ndarray]:
    """Directions of the 12 pentagons and 20 hexagons of a football, scaled by the inverse of their distance."""
    golden = (1 + 5**0.5) / 2
    five = [np.roll((0, a, b * golden), shift) for shift in range(3) for a in (-1, 1) for b in (-1, 1)]
    six = [np.array((a, b, c)) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
    six += [np.roll((0, a * golden, b / golden), shift) for shift in range(3) for a in (-1, 1) for b in (-1, 1)]
    unit = [np.array(faces, np.float32) / np.linalg.norm(faces, axis=1, keepdims=True) for faces in (five, six)]
    return unit[0] / 2.3274, unit[1] / 2.2673


def _draw_basketball(sprite: Sprite, rng: np.random.Generator, points: np.ndarray) -> None:
    sprite.paint(sprite.ellipse(0, 0, 0.97), vary(rng, hsv(rng.uniform(20, 27), 0.86, 0.93), 8))
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    for gap in (x, y, np.abs(x) - 0.55 - 0.35 * z * z):
        sprite.tint(np.clip((0.045 - np.abs(gap)) * sprite.pixels / 3 + 0.5, 0, 1), (46, 26, 20), 0.92)


def _draw_football(sprite: Sprite, rng: np.random.Generator, points: np.ndarray) -> None:
    sprite.paint(sprite.ellipse(0, 0, 0.97), vary(rng, (242, 242, 240), 5))
    five, six = _football_faces()
    dark, pale = points @ five.T, np.sort(points @ six.T, -1)
    nearest = dark.max(-1)
    sprite.tint(np.clip((nearest - pale[..., -1]) * sprite.pixels * 0.8 + 0.5, 0, 1), (30, 32, 36))
    seam = np.clip((0.008 - (pale[..., -1] - np.maximum(pale[..., -2], nearest))) * sprite.pixels * 0.8 + 0.5, 0, 1)
    sprite.tint(seam, (96, 98, 102), 0.75)


def _draw_tennis_ball(sprite: Sprite, rng: np.random.Generator, points: np.ndarray) -> None:
    sprite.paint(sprite.ellipse(0, 0, 0.97), vary(rng, hsv(rng.uniform(66, 74), 0.76, 0.93), 8))
    seam = points[..., 2] - 1.15 * (points[..., 0] ** 2 - points[..., 1] ** 2)
    sprite.tint(np.clip((0.09 - np.abs(seam)) * sprite.pixels / 5 + 0.5, 0, 1), (246, 248, 240), 0.95)


def draw_sports_ball(sprite: Sprite, rng: np.random.Generator) -> None:
    """A basketball, a football or a tennis ball, turned at random."""
    points = _sphere(sprite, rng, 0.97)
    kind = pick(rng, (_draw_basketball, _draw_basketball, _draw_football, _draw_football, _draw_tennis_ball))
    kind(sprite, rng, points)
    sprite.light_ball(0, 0, 0.97, 0.42)
    sprite.gloss(-0.36, -0.42, 0.26, 0.22, 0.38)


def draw_kite(sprite: Sprite, rng: np.random.Generator) -> None:
    """A diamond of four bright panels with a spar cross, a bowed tail and bows on it."""
    top, bottom, side, middle = (0, -0.98), (0, 0.54), 0.68, -0.4
    hue = rng.uniform(0, 360)
    colours = [hsv(hue + step, 0.85, 0.97) for step in (0, 70, 200, 130)]
    way = np.linspace(0, 1, 24)
    tail = np.stack([0.14 * np.sin(way * 6 + rng.uniform(0, 3)) * np.minimum(1, way * 4), 0.54 + 0.38 * way], 1)
    sprite.paint(sprite.stroke(tail, 0.035), (70, 62, 72))
    for index, at in enumerate((11, 22)):
        cx, cy = tail[at]
        bow = vary(rng, colours[index])
        for direction in (-1, 1):
            sprite.paint(sprite.polygon([(cx, cy), (cx + 0.17 * direction, cy - 0.09),
                                         (cx + 0.17 * direction, cy + 0.09)]), bow)
    left, right, cross = (-side, middle), (side, middle), (0, middle)
    for corners, colour in zip(((top, right, cross), (right, bottom, cross), (bottom, left, cross),
                                (left, top, cross)), colours, strict=True):
        sprite.paint(sprite.polygon(corners), colour)
    sail = sprite.polygon([top, right, bottom, left])
    sprite.tint(sail * (np.sign(sprite.x) * (sprite.y - middle) > 0), (0, 0, 0), 0.08)
    for ends in ((top, bottom), (left, right)):
        sprite.tint(sprite.stroke(ends, 0.03), (66, 52, 48), 0.85)
    sprite.light_slope(-0.5, -0.4, 0.16)
    sprite.bevel(0.07, 0.4)


def draw_umbrella(sprite: Sprite, rng: np.random.Generator) -> None:
    """An open umbrella with panels in two colours, scalloped hem and a crook."""
    rim_y, height, panels = 0.24, 1.1, 6
    hue = pick(rng, (350, 212, 268, 178, 300, 230))
    first = vary(rng, hsv(hue, 0.78, 0.86))
    second = vary(rng, pick(rng, (hsv(hue, 0.12, 0.98), hsv(hue + 25, 0.6, 0.62), hsv(hue, 0.35, 0.97))))
    hook = np.linspace(0, np.pi, 12)
    crook = np.stack([0.12 * np.cos(hook) - 0.12, 0.8 + 0.12 * np.sin(hook)], 1)
    sprite.paint(sprite.stroke([(0, -0.2), (0, 0.8)], 0.055), (176, 178, 184))
    sprite.paint(sprite.stroke(crook, 0.1), vary(rng, (104, 64, 40)))
    sprite.paint(sprite.stroke([(0, -0.98), (0, -0.8)], 0.06), (70, 70, 76))
    dome_y = np.clip((rim_y - sprite.y) / height, 0, 1)
    spread = np.sqrt(np.clip(1 - dome_y**2, 0.0004, 1))
    across = sprite.x / spread
    phase = np.arcsin(np.clip(across, -1, 1)) / np.pi + 0.5
    hem = rim_y - 0.11 * np.abs(np.sin(phase * panels * np.pi)) * (np.abs(across) <= 1)
    edge = sprite.pixels / 2
    dome = sprite.ellipse(0, rim_y, 0.98, height - 0.02) * np.clip((hem - sprite.y) * edge + 0.5, 0, 1)
    sprite.paint(dome, first)
    sprite.tint(dome * (np.floor(phase * panels) % 2), second)
    rib = np.abs(phase * panels - np.round(phase * panels))
    sprite.tint(dome * np.exp(-(rib / 0.05) ** 2), (30, 26, 40), 0.3)
    sprite.light(1.06 - 0.3 * np.clip(across * 0.7 + 0.2, -1, 1) * (dome > 0) + 0.1 * dome_y)
    sprite.gloss(-0.4, -0.42, 0.25, 0.2, 0.28)
    sprite.bevel(0.06, 0.35)
