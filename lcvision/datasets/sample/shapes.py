"""Shapes on a table, for detection (COCO layout) and classification (a folder a class)."""
import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from lcvision.datasets.sample.texture import develop, noise, paint, texture, write

NAMES = ('disc', 'triangle', 'square', 'cross', 'star', 'heart', 'flower', 'gear')
TINTS = ((230, 120, 40), (60, 190, 90), (60, 110, 220), (225, 50, 60), (240, 205, 60), (235, 90, 160), (150, 80, 210),
         (120, 130, 140))
SIZES = ((240, 320), (320, 320), (320, 240), (288, 384), (416, 416), (384, 288))
SIDES = (64, 80, 96, 112, 128)
_SHARE_VISIBLE = 0.85


class Instance(NamedTuple):
    """Something to be found: its index in ``NAMES``, its visible pixels, bool (height, width), if it is a crowd."""

    label: int
    mask: np.ndarray
    crowd: bool = False


def outline(label: int) -> np.ndarray:
    """A shape around the origin, within the unit circle: points x, y, (180, 2)."""
    angle = np.linspace(-np.pi, np.pi, 180, endpoint=False) + 1e-6
    sine, cosine = np.abs(np.sin(angle)), np.abs(np.cos(angle))
    corner = np.mod(angle + np.pi / 2, 2 * np.pi / 3) - np.pi / 3
    radius = (
        np.ones_like(angle),
        0.5 / np.cos(corner),
        1 / np.maximum(sine, cosine),
        np.maximum(np.minimum(1 / cosine, 0.32 / sine), np.minimum(1 / sine, 0.32 / cosine)),
        0.36 + 0.64 * np.abs(np.mod(angle * 5 / np.pi + 1.5, 2) - 1) ** 1.7,
        2 - 2 * np.sin(angle) + np.sin(angle) * np.sqrt(cosine) / (1.4 + np.sin(angle)),
        0.76 + 0.24 * np.cos(6 * angle),
        0.87 + 0.13 * np.tanh(6 * np.sin(10 * angle)),
    )[label]
    points = np.stack([np.cos(angle), -np.sin(angle)], 1) * radius[:, None]
    points -= (points.min(0) + points.max(0)) / 2
    return points / np.linalg.norm(points, axis=1).max()


def _place(rng: np.random.Generator, label: int, size: float, centre: np.ndarray) -> np.ndarray:
    turn = rng.uniform(-0.6, 0.6)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return outline(label) * (1, rng.uniform(0.75, 1)) @ rotation * size / 2 + centre


def _background(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    image = 0.25 * texture(rng, shape) + rng.uniform(40, 150) + 25 * noise(rng, shape, 2)[..., None]
    for _ in range(rng.integers(0, 4)):
        middle, reach = rng.uniform(0, 1, 2) * shape[::-1], rng.uniform(0.02, 0.3) * max(shape)
        ends = middle + np.outer((-1, 1), rng.normal(0, 1, 2)) * reach
        start, end = ends.astype(int).tolist()
        cv2.line(image, start, end, rng.uniform(20, 230, 3).tolist(), int(rng.integers(1, 5)), cv2.LINE_AA)
    return image


def _add_shape(rng: np.random.Generator, image: np.ndarray, instances: list[Instance]) -> None:
    shape, label = np.array(image.shape[1::-1]), int(rng.integers(len(NAMES)))
    for _ in range(12):
        size = max(14, float(np.exp(rng.uniform(np.log(0.18), np.log(0.42)))) * max(shape))
        points = _place(rng, label, size, rng.uniform(0.08, 0.92, 2) * shape)
        box = np.zeros(image.shape[:2], bool)
        low, high = np.maximum(points.min(0), 0).astype(int), np.minimum(points.max(0), shape).astype(int)
        box[low[1]:high[1], low[0]:high[0]] = True
        inside = np.prod(high - low) > 0.85 * np.prod(np.ptp(points, 0))
        if inside and all((one.mask & ~box).sum() > _SHARE_VISIBLE * one.mask.sum() for one in instances):
            covered = paint(rng, image, points, TINTS[label])
            for one in instances:
                one.mask[covered] = False
            instances.append(Instance(label, covered))
            return


def _add_crowd(rng: np.random.Generator, image: np.ndarray, instances: list[Instance]) -> None:
    side, label, rows = 0.5 * min(image.shape[:2]), int(rng.integers(len(NAMES))), int(rng.integers(4, 7))
    corner = rng.uniform(0, np.array(image.shape[1::-1]) - side)
    region = np.zeros(image.shape[:2], bool)
    for place in np.ndindex(rows, rows):
        centre = corner + (np.array(place) + rng.uniform(0.4, 0.6, 2)) * side / rows
        region |= paint(rng, image, _place(rng, label, 0.9 * side / rows, centre), TINTS[label])
    instances.append(Instance(label, region, crowd=True))


def render_detection_image(rng: np.random.Generator, empty: bool = False,
                           crowd: bool = False) -> tuple[np.ndarray, list[Instance]]:
    """Renders a table with shapes that may hide one another a little: uint8 RGB, and what is to be found.

    Args:
        rng: Source of all randomness.
        empty: Whether nothing lies on it.
        crowd: Whether a field of small shapes is a region to be ignored.
    """
    image = _background(rng, SIZES[rng.integers(len(SIZES))])
    instances: list[Instance] = []
    if crowd:
        _add_crowd(rng, image, instances)
    for _ in range(0 if empty else rng.integers(2, 7)):
        _add_shape(rng, image, instances)
    return develop(rng, image), instances


def _annotation(instance: Instance) -> dict:
    from pycocotools import mask as coco_mask  # it comes with mmdet
    encoded = coco_mask.encode(np.asfortranarray(instance.mask.astype(np.uint8)))
    return {'category_id': instance.label + 1, 'iscrowd': int(instance.crowd), 'area': int(coco_mask.area(encoded)),
            'bbox': coco_mask.toBbox(encoded).tolist(),
            'segmentation': {'size': encoded['size'], 'counts': encoded['counts'].decode()}}


def render_detection_sample(root: Path, train_images: int = 240, val_images: int = 60, seed: int = 2017) -> None:
    """Renders a set in COCO layout."""
    categories = [{'id': label + 1, 'name': name, 'supercategory': 'shape'} for label, name in enumerate(NAMES)]
    first = 1
    for turn, (split, count) in enumerate((('train', train_images), ('val', val_images))):
        images: list[dict] = []
        annotations: list[dict] = []
        for index in range(count):
            image, instances = render_detection_image(np.random.default_rng([seed, turn, index]),
                                                      empty=index % 20 == 13, crowd=index % 30 == 5)
            name = f'{first + index:012d}.jpg'
            write(root / f'{split}2017' / name, image)
            images.append({'id': first + index, 'file_name': name, 'height': image.shape[0], 'width': image.shape[1]})
            annotations += [{'id': first * 1000 + len(annotations) + number, 'image_id': first + index,
                             **_annotation(instance)} for number, instance in enumerate(instances)]
        path = root / 'annotations' / f'instances_{split}2017.json'
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({'images': images, 'annotations': annotations, 'categories': categories}))
        first += count


def render_classification_sample(root: Path, train_images: int = 60, val_images: int = 15, seed: int = 2017) -> None:
    """Renders a tree of images, so many of each class."""
    for turn, (split, count) in enumerate((('train', train_images), ('val', val_images))):
        for label, index in np.ndindex(len(NAMES), count):
            rng = np.random.default_rng([seed, turn, label, index])
            shape = tuple(rng.choice(SIDES, 2).tolist())
            image = _background(rng, shape)
            size = rng.uniform(0.5, 0.95) * min(shape)
            paint(rng, image, _place(rng, label, size, rng.uniform(0.42, 0.58, 2) * shape[::-1]), TINTS[label])
            write(root / split / NAMES[label] / f'{NAMES[label]}_{index:04d}.jpg', develop(rng, image))
