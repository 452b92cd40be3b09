"""A small COCO-format folder that a test may spoil."""
import json
from pathlib import Path

import cv2
import numpy as np

CLASSES = ('cup', 'fork')


def annotation(number, image, **fields):
    return {'id': number, 'image_id': image, 'category_id': 3, 'bbox': [4, 6, 20, 12], 'area': 240, 'iscrowd': 0,
            **fields}


def content(names=('1.jpg', '2.jpg'), first_id=1):
    """What the json of a split holds: an image for each name with one box each, categories 3 and 7."""
    ids = range(first_id, first_id + len(names))
    return {
        'images': [{'id': i, 'file_name': name, 'width': 48, 'height': 32} for i, name in zip(ids, names, strict=True)],
        'annotations': [annotation(10 * i, i, category_id=3 + 4 * (i % 2)) for i in ids],
        'categories': [{'id': 3, 'name': CLASSES[0]}, {'id': 7, 'name': CLASSES[1]}],
    }


def write(path: Path, value: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def draw(folder: Path, names=('1.jpg', '2.jpg')) -> Path:
    """Puts an image under each name."""
    for index, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.random.default_rng(index).integers(0, 256, (32, 48, 3), np.uint8))
    return folder


def folder(root: Path) -> Path:
    """A whole data set in the layout of COCO 2017."""
    for split, first_id in (('train', 1), ('val', 11)):
        draw(root / f'{split}2017')
        write(root / 'annotations' / f'instances_{split}2017.json', content(first_id=first_id))
    return root
