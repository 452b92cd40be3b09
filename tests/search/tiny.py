"""A data set of a few images of two colours, and a pool of small networks for it."""
import json
from pathlib import Path

import cv2
import numpy as np

from lcvision.search.unit import Training, run_unit

OPTIONS = {'train_dataloader.batch_size': 8, 'train_dataloader.num_workers': 0,
           'train_dataloader.persistent_workers': False, 'val_dataloader.batch_size': 16,
           'val_dataloader.num_workers': 0, 'val_dataloader.persistent_workers': False}


class InProcess:
    """Runs units in this process, which has all imports behind it."""

    def __init__(self, folder: Path, cores: int, training: Training):
        self._folder, self._training, self._ended = folder, training, []

    def free(self, threads: int) -> bool:
        return not self._ended

    def start(self, unit: str, threads: int) -> None:
        self._ended.append((unit, run_unit(self._folder, unit, threads, self._training)))

    def poll(self) -> list:
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """Nothing runs."""


def write_images(root: Path, train: int = 8, val: int = 8) -> Path:
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
