"""Things that belong to no category: leaves, pebbles, boxes, sticks and a tray."""
import numpy as np

from lcvision.datasets.sample.colours import hsv, pick, vary
from lcvision.datasets.sample.sprite import Sprite


def draw_leaf(sprite: Sprite, rng: np.random.Generator) -> None:
    """A fallen leaf with its veins."""
    t = np.linspace(0, 1, 18)
    half = rng.uniform(0.28, 0.42) * np.sin(np.pi * t**0.8)
    outline = np.concatenate([np.stack([2 * t - 1, half], 1), np.stack([2 * t - 1, -half], 1)[::-1]]) * 0.95
    sprite.paint(sprite.polygon(outline), vary(rng, hsv(pick(rng, (28, 40, 75, 95)), 0.45, rng.uniform(0.4, 0.62))))
    sprite.tint(sprite.stroke([(-0.95, 0), (0.95, 0)], 0.04), (70, 60, 36), 0.5)
    for x in (-0.5, -0.15, 0.2, 0.5):
        for side in (-1, 1):
            sprite.tint(sprite.stroke([(x, 0), (x + 0.25, 0.3 * side)], 0.02), (70, 60, 36), 0.4)
    sprite.bevel(0.1, 0.4)


def draw_pebble(sprite: Sprite, rng: np.random.Generator) -> None:
    """A grey or brown stone."""
    t = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    radius = 0.85 + 0.08 * np.sin(2 * t + rng.uniform(0, 6)) + 0.05 * np.sin(3 * t + rng.uniform(0, 6))
    outline = np.stack([np.cos(t) * radius, np.sin(t) * radius * rng.uniform(0.55, 0.8)], 1)
    sprite.paint(sprite.polygon(outline), vary(rng, pick(rng, ((142, 138, 132), (112, 104, 98), (168, 156, 140))), 16))
    sprite.light_ball(0, 0, 1, 0.5)


def draw_box(sprite: Sprite, rng: np.random.Generator) -> None:
    """A cardboard box closed with tape."""
    height = rng.uniform(0.6, 0.9)
    sprite.paint(sprite.polygon([(-0.95, -height), (0.95, -height), (0.95, height), (-0.95, height)]),
                 vary(rng, (178, 140, 98), 14))
    sprite.tint(sprite.polygon([(-0.95, -0.13), (0.95, -0.13), (0.95, 0.13), (-0.95, 0.13)]), (206, 184, 148), 0.75)
    sprite.tint(sprite.stroke([(-0.95, 0), (0.95, 0)], 0.025), (120, 92, 62), 0.7)
    sprite.light_slope(-0.3, -0.5, 0.16)
    sprite.bevel(0.06, 0.6)


def draw_stick(sprite: Sprite, rng: np.random.Generator) -> None:
    """A pencil with its point."""
    half = rng.uniform(0.06, 0.09)
    colour = vary(rng, hsv(rng.uniform(0, 360), 0.35, 0.6))
    sprite.paint(sprite.polygon([(-0.95, -half), (0.7, -half), (0.7, half), (-0.95, half)]), colour)
    sprite.paint(sprite.polygon([(0.7, -half), (0.97, 0), (0.7, half)]), (224, 190, 146))
    sprite.paint(sprite.polygon([(0.9, -half / 4), (0.97, 0), (0.9, half / 4)]), (50, 46, 46))
    sprite.tint(sprite.polygon([(-0.95, -half), (-0.8, -half), (-0.8, half), (-0.95, half)]), (200, 140, 140))
    sprite.light(1 - 0.3 * sprite.y / half * (np.abs(sprite.y) < half))


def draw_tray(sprite: Sprite, rng: np.random.Generator) -> None:
    """A flat wooden tray that fills the canvas."""
    tone = vary(rng, (206, 176, 132), 14)
    sprite.paint(sprite.polygon([(-0.99, -0.99), (0.99, -0.99), (0.99, 0.99), (-0.99, 0.99)]), tone * 0.78)
    grain = np.sin(sprite.y * 60 + 3 * np.sin(sprite.x * 2.2 + 1))
    sprite.light(1 + 0.03 * grain)
    sprite.tint(sprite.polygon([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]), tone)
    sprite.bevel(0.05, 0.5)


LITTER = (draw_leaf, draw_leaf, draw_pebble, draw_box, draw_stick)
WINDBLOWN = (draw_leaf,)
