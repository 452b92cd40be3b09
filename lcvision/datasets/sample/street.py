"""Streets of plain textured bodies, for segmentation (Cityscapes layout)."""
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from lcvision.datasets.sample.texture import develop, noise, write

SIZE = (256, 512)
# Cityscapes' training labels of what is drawn, with how strongly its surface varies.
ROAD, SIDEWALK, BUILDING, WALL, FENCE, POLE, LIGHT, SIGN, TREES, TERRAIN, SKY, PERSON, CAR, TRUCK, BUS = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15)
_ROUGHNESS = {ROAD: 6, SIDEWALK: 9, BUILDING: 12, TREES: 45, TERRAIN: 28, SKY: 10, WALL: 14, FENCE: 14}
_UNIT_DISC = np.stack([np.cos(np.linspace(0, 6.2, 16)), np.sin(np.linspace(0, 6.2, 16))], 1)


class Canvas:
    """A float32 RGB image and its uint8 labels, seen by a camera above the road, at twice the final size."""

    def __init__(self, rng: np.random.Generator) -> None:
        height, width = 2 * SIZE[0], 2 * SIZE[1]
        self.focal, self.eye = width * rng.uniform(0.6, 0.9), rng.uniform(1.4, 2.2)
        self.vanish = np.array([width * rng.uniform(0.35, 0.65), height * rng.uniform(0.34, 0.5)])
        fade = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        sky = (1 - fade) * rng.uniform((80, 130, 180), (150, 180, 240)) + fade * rng.uniform(190, 250, 3)
        self.image = np.ascontiguousarray(np.ones((1, width, 1), np.float32) * sky, np.float32)
        self.labels = np.full((height, width), SKY, np.uint8)

    def fill(self, points: ArrayLike, colour: np.ndarray, label: int) -> None:
        """Fills the polygon of points x to the right, y up and z ahead in metres, (n, 3)."""
        x, y, z = np.asarray(points, np.float64).T
        seen = np.stack([x, self.eye - y], 1) * (self.focal / np.maximum(z, 0.8))[:, None] + self.vanish
        corners = [np.clip(np.round(seen), -30000, 30000).astype(np.int32)]
        haze = np.exp(-z.min() / 150)
        cv2.fillPoly(self.image, corners, (haze * np.asarray(colour) + (1 - haze) * 190).tolist())
        cv2.fillPoly(self.labels, corners, label)

    def ground(self, left: float, right: float, near: float, far: float, colour: np.ndarray, label: int) -> None:
        """A strip of the ground."""
        self.fill([(left, 0, near), (right, 0, near), (right, 0, far), (left, 0, far)], colour, label)

    def board(self, x: float, z: float, low: float, high: float, width: float, colour: np.ndarray, label: int) -> None:
        """An upright rectangle that faces the camera."""
        sides = (x - width / 2, x + width / 2)
        self.fill([(sides[0], low, z), (sides[1], low, z), (sides[1], high, z), (sides[0], high, z)], colour, label)

    def disc(self, x: float, y: float, z: float, radii: tuple[float, float], colour: np.ndarray, label: int) -> None:
        """An upright ellipse that faces the camera."""
        self.fill(np.column_stack([_UNIT_DISC * radii + (x, y), np.full(16, z)]), colour, label)


def _side(rng: np.random.Generator, canvas: Canvas, x: float, z: float, end: float) -> None:
    """A house, a wall, a fence or trees along the street, from z to end."""
    label = int(rng.choice([BUILDING, BUILDING, BUILDING, TREES, TREES, WALL, FENCE]))
    if label == TREES:
        for _ in range(5):
            place = rng.uniform(z, end)
            canvas.disc(x * rng.uniform(1, 1.6), rng.uniform(1, 5), place, tuple(rng.uniform(1.2, 2.8, 2)),
                        rng.uniform((30, 60, 20), (80, 120, 60)), TREES)
        return
    high = rng.uniform(5, 16) if label == BUILDING else rng.uniform(1, 2)
    colour = rng.uniform(70, 190, 3) * 0.5 + rng.uniform(30, 100)
    canvas.fill([(x, 0, z), (x, high, z), (4 * x, high, z), (4 * x, 0, z)], colour * 0.8, label)
    canvas.fill([(x, 0, z), (x, 0, end), (x, high, end), (x, high, z)], colour, label)
    pane = rng.uniform(20, 90, 3) if label != WALL else colour
    step = 0.25 if label == FENCE else 2.2
    for start in np.arange(z + step / 3, end - step / 2, step):
        for low in np.arange(1., high - 1.5, 2.8) if label == BUILDING else (0.,):
            top = low + 1.5 if label == BUILDING else high
            canvas.fill([(x, low, start), (x, low, start + step / 2), (x, top, start + step / 2), (x, top, start)],
                        pane, label)


def _vehicle(rng: np.random.Generator, canvas: Canvas, x: float, z: float) -> None:
    label = int(rng.choice([CAR, CAR, CAR, CAR, TRUCK, BUS]))
    width, high, long = ((1.8, 1.5, 4.), (2.4, 3.2, 7.), (2.5, 2.9, 10.))[(CAR, TRUCK, BUS).index(label)]
    colour, dark, left = rng.uniform(20, 230, 3), np.full(3, 25.), x - np.sign(x) * width / 2
    waist = high * (0.6 if label == CAR else 1.)
    for corner in (-0.4, 0.4):
        canvas.disc(x + corner * width, 0.3, z, (0.2, 0.33), dark, label)
    canvas.fill([(left, 0.3, z), (left, 0.3, z + long), (left, waist, z + long), (left, waist, z)], colour * 0.7, label)
    if label == CAR:
        canvas.board(x, z + 1, waist, high, 0.8 * width, dark + 40, label)
    canvas.board(x, z, 0.25, waist, width, colour, label)
    if label != CAR:
        canvas.board(x, z, 0.5 * high, 0.85 * high, 0.85 * width, dark + (40 if label == BUS else colour * 0.5), label)
    for corner in (-0.35, 0.35):
        canvas.disc(x + corner * width, 0.7, z, (0.16, 0.12), np.array([240, 70 + 160 * (x < 0), 60]), label)


def _person(rng: np.random.Generator, canvas: Canvas, x: float, z: float) -> None:
    tall, trousers, shirt = rng.uniform(1.5, 1.9), rng.uniform(20, 120, 3), rng.uniform(30, 230, 3)
    for foot in (-1, 1) * np.array(rng.uniform(0.08, 0.2)):
        canvas.fill([(x + foot - .08, 0, z), (x + foot + .08, 0, z), (x + .1, .5 * tall, z), (x - .1, .5 * tall, z)],
                    trousers, PERSON)
    canvas.disc(x, 0.66 * tall, z, (0.24, 0.2 * tall), shirt, PERSON)
    canvas.disc(x, 0.92 * tall, z, (0.11, 0.14), rng.uniform((90, 60, 40), (235, 190, 160)), PERSON)


def _post(rng: np.random.Generator, canvas: Canvas, x: float, z: float) -> None:
    high, grey = rng.uniform(2.6, 5), np.full(3, rng.uniform(50, 130))
    canvas.board(x, z, 0, high, 0.14, grey, POLE)
    kind = rng.integers(4)
    if kind == 0:
        canvas.board(x, z, high - 1, high, 0.4, grey * 0.4, LIGHT)
        canvas.disc(x, high - rng.uniform(0.2, 0.8), z, (0.13, 0.13), rng.uniform((60, 60, 0), (255, 255, 90)), LIGHT)
    elif kind == 1:
        canvas.disc(x, high - 0.3, z, (0.4, 0.4), np.array([220, 40, 40]), SIGN)
        canvas.disc(x, high - 0.3, z, (0.27, 0.27), np.array([235, 235, 235]), SIGN)
    elif kind == 2:
        canvas.board(x, z, high - 0.6, high, 0.8, np.array([30, 70, 190]), SIGN)


def render_street_image(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Renders one street: uint8 RGB (height, width, 3), and Cityscapes' training labels, uint8 (height, width)."""
    canvas = Canvas(rng)
    half, walk, shift = rng.uniform(3.5, 6.5), rng.uniform(1.8, 4.5), rng.uniform(-2, 2)
    grass, grey = rng.uniform((60, 90, 40), (130, 140, 90)), np.full(3, rng.uniform(60, 120))
    canvas.ground(-200, 200, 0.8, 500, grass, TERRAIN)
    canvas.ground(shift - half - walk, shift + half + walk, 0.8, 500, grey + rng.uniform(20, 60), SIDEWALK)
    canvas.ground(shift - half, shift + half, 0.8, 500, grey, ROAD)
    for start in range(2, 80, 6):
        canvas.ground(shift - 0.08, shift + 0.08, start, start + 3, np.full(3, 220.), ROAD)
    things: list[Any] = []
    for side in (-1, 1):
        edge, z = half + walk + rng.uniform(0, 4), rng.uniform(2, 7)
        while z < 90:
            end = z + rng.uniform(6, 16)
            if rng.random() < 0.85:
                things.append((end, _side, (shift + side * edge, z, end)))
            z = end
        things += [(z, _post, (shift + side * (half + 0.5), z)) for z in np.cumsum(rng.uniform(4, 12, 6)) + 3]
        things += [(z, _person, (shift + side * (half + rng.uniform(-1, 1) * walk), z))
                   for z in np.exp(rng.uniform(1.7, 3.6, rng.integers(1, 6)))]
        things += [(z, _vehicle, (shift + side * half * rng.uniform(0.35, 0.7), z))
                   for z in np.cumsum(rng.uniform(7, 25, 4))]
    for _, draw, place in sorted(things, key=lambda thing: -thing[0]):
        draw(rng, canvas, *place)
    roughness = np.zeros(256, np.float32)
    roughness[list(_ROUGHNESS)] = list(_ROUGHNESS.values())
    grain = sum(noise(rng, canvas.labels.shape, cells) for cells in (8, 60, 160))
    canvas.image += (roughness[canvas.labels] * grain)[..., None] + (18 * noise(rng, canvas.labels.shape, 3))[..., None]
    small = cv2.resize(canvas.image, SIZE[::-1], interpolation=cv2.INTER_AREA)
    return develop(rng, small), np.ascontiguousarray(canvas.labels[::2, ::2])


def render_street_sample(root: Path, train_images: int = 160, val_images: int = 40, seed: int = 2021) -> None:
    """Renders a set in Cityscapes layout."""
    for turn, (split, count) in enumerate((('train', train_images), ('val', val_images))):
        for index in range(count):
            image, labels = render_street_image(np.random.default_rng([seed, turn, index]))
            for ending, pixels in (('leftImg8bit', image), ('gtFine_labelTrainIds', labels)):
                folder = root / ending.partition('_')[0] / split / 'rendered'
                write(folder / f'rendered_{index:06d}_{ending}.png', pixels)
