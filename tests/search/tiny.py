"""A data set of a few images of two colours, and a pool of small networks for it."""
import json
from pathlib import Path

import cv2
import numpy as np

OPTIONS = {'train_dataloader.batch_size': 8, 'train_dataloader.num_workers': 0,
           'train_dataloader.persistent_workers': False, 'val_dataloader.batch_size': 16,
           'val_dataloader.num_workers': 0, 'val_dataloader.persistent_workers': False}


def write_images(root: Path, train: int = 12, val: int = 8) -> Path:
    """So many images of each of two classes."""
    rng = np.random.default_rng(0)
    for split, number in (('train', train), ('val', val)):
        for label, colour in (('dark', 90), ('light', 150)):
            folder = root / split / label
            folder.mkdir(parents=True)
            for index in range(number):
                image = np.clip(rng.normal(colour, 40, (32, 32, 3)), 0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / f'{index}.png'), image)
    return root


def write_pool(path: Path, widths=(0.3, 0.2), group_size: int = 2) -> Path:
    """Networks of some widths."""
    path.write_text(json.dumps(dict(
        config='elite9_cifar10', axes={'model.backbone.width': widths}, group_size=group_size,
        options={'model.backbone.arch': None, 'model.backbone.depth': 0.2})))
    return path
