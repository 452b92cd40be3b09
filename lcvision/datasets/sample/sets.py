"""Rendered sets, each in a layout of its task.

A renderer takes the folder to fill, the number of images of the training and of the validation split, and a seed of at
least 0 that selects the scenes. The same arguments give the same files, byte for byte.
"""
import json
from pathlib import Path

import cv2
import numpy as np
from mmcv import imwrite

from lcvision.datasets.sample.shapes import NAMES, TINTS, render_one_shape, render_shapes

SEGMENTATION_SIZE = (256, 384)
_GROUND = (60, 64, 72)  # its colour in pictures of labels
_SIDES = (64, 80, 96, 112, 128)
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 93]


def render_detection_sample(root: Path, train_images: int = 240, val_images: int = 60, seed: int = 2017) -> None:
    """Renders a set in COCO layout; of twenty images one is empty, of thirty one has a crowd."""
    categories = [dict(id=label, name=name, supercategory='shape') for label, name in enumerate(NAMES, 1)]
    for turn, (split, count) in enumerate((('train', train_images), ('val', val_images))):
        images: list[dict] = []
        annotations: list[dict] = []
        for index in range(count):
            image, instances = render_shapes(np.random.default_rng([seed, turn, index]), empty=index % 20 == 13,
                                             crowd=index % 30 == 5)
            name = f'{index + 1:012d}.jpg'
            imwrite(image[..., ::-1], root / f'{split}2017' / name, _QUALITY)
            images.append(dict(id=index + 1, file_name=name, height=image.shape[0], width=image.shape[1]))
            annotations += [dict(id=number, image_id=index + 1, category_id=one.label + 1, iscrowd=int(one.crowd),
                                 area=int(one.mask.sum()), bbox=cv2.boundingRect(one.mask.astype(np.uint8)))
                            for number, one in enumerate(instances, len(annotations) + 1)]
        path = root / 'annotations' / f'instances_{split}2017.json'
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(dict(images=images, annotations=annotations, categories=categories)))


def render_segmentation_sample(root: Path, train_images: int = 160, val_images: int = 40, seed: int = 2021) -> None:
    """Renders folders of images and masks; what no shape covers is ground."""
    for turn, (split, count) in enumerate((('train', train_images), ('val', val_images))):
        for index in range(count):
            image, instances = render_shapes(np.random.default_rng([seed, turn, index]), SEGMENTATION_SIZE)
            labels = np.zeros(SEGMENTATION_SIZE, np.uint8)
            for one in instances:
                labels[one.mask] = one.label + 1
            imwrite(image[..., ::-1], root / 'images' / split / f'{index:04d}.jpg', _QUALITY)
            imwrite(labels, root / 'masks' / split / f'{index:04d}.png')
    classes = dict(ground=_GROUND, **dict(zip(NAMES, TINTS)))
    (root / 'classes.txt').write_text(''.join(f'{name} {r} {g} {b}\n' for name, (r, g, b) in classes.items()))


def render_classification_sample(root: Path, train_images: int = 60, val_images: int = 15, seed: int = 2017) -> None:
    """Renders a tree of images, so many of each class."""
    for turn, (split, count) in enumerate((('train', train_images), ('val', val_images))):
        for label, index in np.ndindex(len(NAMES), count):
            rng = np.random.default_rng([seed, turn, label, index])
            image = render_one_shape(rng, tuple(rng.choice(_SIDES, 2).tolist()), label)
            imwrite(image[..., ::-1], root / split / NAMES[label] / f'{NAMES[label]}_{index:04d}.jpg', _QUALITY)


RENDERERS = {'detection': render_detection_sample, 'segmentation': render_segmentation_sample,
             'classification': render_classification_sample}
