"""Things to eat: banana and donut."""
import numpy as np

from lcvision.datasets.sample.colours import hsv, pick, vary
from lcvision.datasets.sample.sprite import Sprite


def draw_banana(sprite: Sprite, rng: np.random.Generator) -> None:
    """A bent banana, from slightly green to freckled."""
    radius, centre_y = 0.86, -0.62
    bend = np.linspace(np.radians(12), np.radians(168), 40)
    thickness = 0.045 + rng.uniform(0.25, 0.31) * np.sin(np.linspace(0, np.pi, 40)) ** 0.6
    rays = np.stack([np.cos(bend), np.sin(bend)], 1)
    inner = rays * (radius - 0.75 * thickness)[:, None]
    outer = rays * (radius + thickness)[:, None]
    body = np.concatenate([outer, inner[::-1]]) + np.array([0, centre_y])
    ripe = rng.uniform(0, 1)
    yellow = vary(rng, hsv(50 + 10 * (ripe < 0.15), 0.88, 0.98), 8)
    sprite.paint(sprite.polygon(body), yellow)
    across = (np.hypot(sprite.x, sprite.y - centre_y) - radius) / 0.3
    sprite.light(1.04 - 0.34 * np.clip(across, -0.2, 1) ** 2 - 0.16 * np.clip(-across, 0, 1))
    for offset, strength in ((0.3, 0.32), (-0.33, 0.22)):
        ridge = rays[5:-5] * (radius + offset * thickness[5:-5])[:, None] + (0, centre_y)
        sprite.tint(sprite.stroke(ridge, 0.022), (150, 100, 20), strength)
    for _ in range(int(rng.integers(0, 9) * (ripe > 0.4))):
        angle, reach = rng.uniform(0.5, 2.6), radius + rng.uniform(-0.15, 0.2)
        wide, high = rng.uniform(0.012, 0.04, 2)
        spot = sprite.ellipse(np.cos(angle) * reach, np.sin(angle) * reach + centre_y, wide, high)
        sprite.tint(spot, (120, 78, 30), 0.75)
    stem = rays[:5] * radius * 1.01 + (0, centre_y)
    sprite.paint(sprite.stroke(np.concatenate([[stem[0] + (0.05, -0.14)], stem[:3]]), 0.11), (150, 128, 44))
    sprite.paint(sprite.ellipse(stem[0, 0] + 0.05, stem[0, 1] - 0.15, 0.06, 0.035), (86, 64, 34))
    sprite.paint(sprite.ellipse(rays[-1, 0] * radius, rays[-1, 1] * radius + centre_y, 0.065), (74, 56, 34))
    sprite.bevel(0.2, 0.45)


def _draw_sprinkles(sprite: Sprite, rng: np.random.Generator, ring: float) -> None:
    sweets = [hsv(hue, 0.65, 0.98) for hue in (0, 48, 130, 200, 285)] + [np.array([255, 255, 255])]
    for index in range(int(rng.integers(22, 34))):
        angle, reach, turn = rng.uniform(0, 2 * np.pi), ring + rng.uniform(-0.2, 0.2), rng.uniform(0, np.pi)
        centre = np.array([np.cos(angle), np.sin(angle)]) * reach
        half = np.array([np.cos(turn), np.sin(turn)]) * 0.045
        sprite.tint(sprite.stroke([centre - half, centre + half], 0.05), sweets[index % len(sweets)])


def draw_donut(sprite: Sprite, rng: np.random.Generator) -> None:
    """A ring of dough with icing and sprinkles or stripes on top."""
    hole, rim = rng.uniform(0.25, 0.31), 0.96
    ring, half = (hole + rim) / 2, (rim - hole) / 2
    angle = np.arctan2(sprite.y, sprite.x)
    distance = np.hypot(sprite.x, sprite.y)
    sprite.paint(sprite.ellipse(0, 0, rim), vary(rng, (206, 146, 84)))
    wave = 0.035 * np.sin(angle * int(rng.integers(6, 9)) + rng.uniform(0, 6)) + 0.02 * np.sin(angle * 3 + 1)
    edge = sprite.pixels / 2
    icing = np.clip((0.8 * half + wave - np.abs(distance - ring)) * edge + 0.5, 0, 1)
    kinds = (hsv(334, 0.55, 0.98), hsv(334, 0.45, 0.99), hsv(18, 0.68, 0.36), hsv(286, 0.36, 0.94))
    sprite.tint(np.roll(icing, max(1, sprite.pixels // 50), 0), (120, 70, 40), 0.45)
    sprite.tint(icing, vary(rng, pick(rng, kinds)))
    profile = (distance - ring) / half
    slope = profile * (-0.5 * sprite.x - 0.75 * sprite.y) / np.maximum(distance, 0.05)
    if rng.random() < 0.75:
        _draw_sprinkles(sprite, rng, ring)
    else:
        stripes = np.abs(np.sin(sprite.x * 8 + rng.uniform(0, 3)) + sprite.y * 0.6) < 0.16
        sprite.tint(icing * stripes, (255, 250, 240), 0.9)
    sprite.light(1 + 0.34 * slope - 0.16 * profile**2)
    glint = np.exp(-((distance - ring - 0.05) / 0.05) ** 2 - ((np.abs(angle + 2.2)) / 0.4) ** 2)
    sprite.tint(glint, (255, 255, 255), 0.55)
    sprite.cut(sprite.ellipse(0, 0, hole))
