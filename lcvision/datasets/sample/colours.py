"""Colours and noise that objects and backgrounds share."""
import colorsys
from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np

Choice = TypeVar('Choice')


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """RGB colour, 0..255, of a hue in degrees and a saturation and value in [0, 1]."""
    return np.array(colorsys.hsv_to_rgb(hue % 360 / 360, saturation, value), np.float32) * 255


def vary(rng: np.random.Generator, colour: Sequence[float] | np.ndarray, amount: float = 12) -> np.ndarray:
    """The same colour a little brighter or darker and a little off hue; `amount` is the spread out of 255."""
    shift = rng.uniform(-amount, amount) + rng.uniform(-amount / 2, amount / 2, 3)
    return np.clip(np.asarray(colour, np.float32) + shift.astype(np.float32), 0, 255)


def pick(rng: np.random.Generator, choices: Sequence[Choice]) -> Choice:
    """One of the choices, with equal chances and without turning it into an array."""
    return choices[int(rng.integers(len(choices)))]


def cloud_noise(
    rng: np.random.Generator, height: int, width: int, cell: tuple[float, float], octaves: int = 3
) -> np.ndarray:
    """Smooth noise around 0 with a spread of about 1.

    Args:
        rng: Source of randomness.
        height: Rows of the result.
        width: Columns of the result.
        cell: Vertical and horizontal size of the largest blobs, in pixels; unequal sizes give a grain.
        octaves: Layers, each half the size and half the strength of the one before.
    """
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        rows = max(2, int(height * 2**octave / cell[0]) + 2)
        columns = max(2, int(width * 2**octave / cell[1]) + 2)
        coarse = rng.standard_normal((min(rows, height), min(columns, width)), np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
    return total
