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


def squares(root: Path, train=32, val=16) -> Path:
    """A data set that a detector learns in seconds: one or two plain squares, of a colour for each class, on noise."""
    rng = np.random.default_rng(0)
    for split, first_id, count in (('train', 1, train), ('val', 1001, val)):
        names = [f'{index}.png' for index in range(count)]
        wanted = content(names, first_id)
        wanted['annotations'] = []
        (root / f'{split}2017').mkdir(parents=True)
        for entry in wanted['images']:
            entry.update(width=64, height=64)
            image = rng.integers(0, 80, (64, 64, 3), np.uint8)
            for left in (0, 32)[:rng.integers(1, 3)]:
                label, side = int(rng.integers(2)), int(rng.integers(18, 27))
                x, y = left + int(rng.integers(32 - side)), int(rng.integers(64 - side))
                image[y:y + side, x:x + side] = ((40, 60, 230), (230, 90, 40))[label]
                wanted['annotations'].append(annotation(
                    len(wanted['annotations']) + 1, entry['id'], category_id=3 + 4 * label, bbox=[x, y, side, side],
                    area=side * side))
            cv2.imwrite(str(root / f'{split}2017' / entry['file_name']), image)
        write(root / 'annotations' / f'instances_{split}2017.json', wanted)
    return root
