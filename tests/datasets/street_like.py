"""Small segmentation folders that a test may spoil."""
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SHAPE = (24, 40)


def image(path: Path, shape=SHAPE, seed=0) -> Path:
    """Writes an image of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8))
    return path


def mask(path: Path, pixels, palette=None) -> Path:
    """Writes a mask: an array, or one value for all pixels; with a palette, indices into it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.asarray(pixels)
    picture = Image.fromarray(pixels if pixels.ndim else np.full(SHAPE, pixels, np.uint8))
    if palette:
        rows = [*palette, *[(index, 0, 99) for index in range(256 - len(palette))]]
        picture.putpalette([channel for colour in rows for channel in colour])
    picture.save(path)
    return path


def cityscapes(root: Path, ending='png', masks='labelTrainIds', values=(0, 7, 255), splits=('train', 'val')) -> Path:
    """A data set in Cityscapes layout: two images a split, whose masks have a column of each value."""
    for split in splits:
        for index in range(2):
            stem = f'town/town_{split}_{index}'
            image(root / 'leftImg8bit' / split / f'{stem}_leftImg8bit.{ending}', seed=index)
            mask(root / 'gtFine' / split / f'{stem}_gtFine_{masks}.png', columns(values))
    return root


def columns(values, shape=SHAPE) -> np.ndarray:
    """Values, or colours, side by side."""
    values = np.asarray(values, np.uint8)
    index = np.arange(shape[1]) * len(values) // shape[1]
    return np.repeat(values[index][None], shape[0], 0)


def pairs(root: Path, values=(0, 1, 2, 255), classes='road\ncar\ntraffic light\n', splits=('train', 'val'),
          count=2) -> Path:
    """A data set of ``images/`` and ``masks/``; splits are folders in them, () for none."""
    for split in splits or ('',):
        for index in range(count):
            image(root / 'images' / split / f'{index}.jpg', seed=index)
            mask(root / 'masks' / split / f'{index}.png', columns(values))
    if classes:
        (root / 'classes.txt').write_text(classes)
    return root
