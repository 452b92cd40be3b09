"""Things of the street: stop sign, traffic light and clock."""
import numpy as np

from lcvision.datasets.sample.colours import hsv, pick, vary
from lcvision.datasets.sample.sprite import Sprite


def _regular(corners: int, radius: float, turn: float = 0.0) -> np.ndarray:
    angle = np.arange(corners) * 2 * np.pi / corners + turn
    return np.stack([np.cos(angle), np.sin(angle)], 1) * radius


def _letter_strokes(width: float, height: float) -> list[list[np.ndarray]]:
    """The strokes of S, T, O and P in a box of the given size around the origin."""
    t = np.linspace(0, 2 * np.pi, 20)
    upper = np.stack([np.cos(t), np.sin(t)], 1)
    s_top = np.stack([np.cos(np.linspace(-0.3, -4.5, 12)), 0.5 * np.sin(np.linspace(-0.3, -4.5, 12)) - 0.5], 1)
    letters = [
        [np.concatenate([s_top, -s_top[::-1]])],
        [np.array([[-1, -1], [1, -1]]), np.array([[0, -1], [0, 1]])],
        [upper],
        [np.array([[-0.9, 1], [-0.9, -1], [0.2, -1], [0.8, -0.8], [0.9, -0.45], [0.8, -0.1], [0.2, 0.08],
                   [-0.9, 0.08]])],
    ]
    return [[stroke * (width / 2, height / 2) for stroke in letter] for letter in letters]


def draw_stop_sign(sprite: Sprite, rng: np.random.Generator) -> None:
    """A red octagon with a white rim and the word STOP, more or less weathered."""
    turn = np.pi / 8
    sprite.paint(sprite.polygon(_regular(8, 1.0, turn)), (150, 22, 26))
    sprite.paint(sprite.polygon(_regular(8, 0.97, turn)), (244, 244, 242))
    sprite.tint(sprite.polygon(_regular(8, 0.86, turn)), vary(rng, hsv(rng.uniform(352, 362), 0.87, 0.82)))
    for index, letter in enumerate(_letter_strokes(0.25, 0.44)):
        for stroke in letter:
            sprite.tint(sprite.stroke(stroke + np.array([(index - 1.5) * 0.375, 0]), 0.085), (248, 248, 246))
    for bolt in (-0.66, 0.66):
        sprite.tint(sprite.ellipse(0, bolt, 0.035), (196, 190, 190))
    sprite.light_slope(-0.4, -0.6, rng.uniform(0.06, 0.2))
    sheen = np.exp(-((sprite.x + 0.7 * sprite.y + rng.uniform(-0.5, 0.7)) / 0.22) ** 2)
    sprite.tint(sheen, (255, 255, 255), rng.uniform(0, 0.22))
    sprite.bevel(0.06, 0.5)


def draw_traffic_light(sprite: Sprite, rng: np.random.Generator) -> None:
    """An upright housing with three lamps under visors, one of them lit."""
    half = 0.4
    housing = vary(rng, pick(rng, ((240, 182, 32), (40, 44, 46), (38, 72, 58), (232, 170, 26))), 8)
    body = np.clip((0.16 - np.hypot(np.clip(np.abs(sprite.x) - half + 0.16, 0, None),
                                    np.clip(np.abs(sprite.y) - 0.98 + 0.16, 0, None))) * sprite.pixels / 2 + 0.5, 0, 1)
    sprite.paint(body, housing)
    sprite.light(1.08 - 0.3 * (sprite.x / half + 0.25) ** 2)
    sprite.bevel(0.08, 0.6)
    panel = sprite.polygon([(-half + 0.07, -0.9), (half - 0.07, -0.9), (half - 0.07, 0.9), (-half + 0.07, 0.9)])
    sprite.tint(panel, (24, 26, 30), 0.82)
    lit = int(rng.integers(3))
    for index, hue in enumerate((2, 42, 142)):
        cy = (index - 1) * 0.59
        on = index == lit
        sprite.tint(sprite.ellipse(0, cy, 0.29), (10, 10, 12))
        sprite.tint(sprite.ellipse(0, cy, 0.255), hsv(hue, 0.95 if on else 0.7, 1.0 if on else 0.3))
        if on:
            glow = np.exp(-(sprite.x**2 + (sprite.y - cy) ** 2) / 0.075)
            sprite.tint(glow, hsv(hue + 6, 0.35, 1.0), 0.85)
            sprite.tint(np.exp(-(sprite.x**2 + (sprite.y - cy) ** 2) / 0.2), hsv(hue, 0.9, 1.0), 0.3)
        else:
            sprite.gloss(-0.09, cy - 0.1, 0.07, 0.06, 0.4)
        hood = np.stack([0.3 * np.cos(np.linspace(-np.pi, 0, 16)), cy + 0.3 * np.sin(np.linspace(-np.pi, 0, 16))], 1)
        sprite.tint(sprite.stroke(hood, 0.07), (16, 17, 20))


def _draw_hand(sprite: Sprite, turn: float, length: float, width: float, colour: tuple[int, int, int]) -> None:
    tip = np.array([np.sin(turn), -np.cos(turn)])
    side = np.array([tip[1], -tip[0]]) * width
    sprite.tint(sprite.polygon([-0.16 * tip + side, tip * length + side * 0.4, tip * length - side * 0.4,
                                -0.16 * tip - side]), colour)


def draw_clock(sprite: Sprite, rng: np.random.Generator) -> None:
    """A wall clock with a coloured rim, marks and hands that agree on the time."""
    rim = pick(rng, ((44, 46, 52), (112, 72, 44), (184, 148, 74), (38, 74, 122), (52, 56, 60), (30, 96, 98)))
    sprite.paint(sprite.ellipse(0, 0, 0.98), vary(rng, rim))
    sprite.light_ball(0, 0, 1, 0.55)
    sprite.tint(sprite.ellipse(0, 0, 0.83), (40, 40, 44))
    sprite.tint(sprite.ellipse(0, 0, 0.81), vary(rng, (246, 244, 236), 6))
    inside = np.hypot(sprite.x + 0.03, sprite.y + 0.05)
    sprite.tint(np.clip((inside - 0.66) / 0.14, 0, 1) * sprite.ellipse(0, 0, 0.81), (120, 120, 126), 0.3)
    for hour in range(12):
        ray = np.array([np.sin(hour * np.pi / 6), -np.cos(hour * np.pi / 6)])
        long = hour % 3 == 0
        sprite.tint(sprite.stroke([ray * (0.57 if long else 0.64), ray * 0.72], 0.065 if long else 0.035), (36, 38, 44))
    minutes = rng.uniform(0, 12 * 60)
    _draw_hand(sprite, minutes / 720 * 2 * np.pi, 0.42, 0.05, (28, 30, 36))
    _draw_hand(sprite, minutes / 60 * 2 * np.pi, 0.64, 0.036, (28, 30, 36))
    if rng.random() < 0.7:
        _draw_hand(sprite, rng.uniform(0, 2 * np.pi), 0.68, 0.016, (206, 36, 36))
    sprite.tint(sprite.ellipse(0, 0, 0.065), (28, 30, 36))
    sprite.gloss(-0.34, -0.42, 0.3, 0.2, 0.3)
