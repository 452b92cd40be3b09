"""Encoded images of a whole data set in one ``.npz`` file, each with an address that reads like a file's path.

``npz://FOLDER/SET.npz/train_00017.jpg`` is image 17 of the training split: with the backend registered here, whatever
reads images through mmengine reads these.
"""
import zipfile
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from mmengine.fileio import BaseStorageBackend, register_backend
from mmpretrain.datasets import BaseDataset

from lcvision.datasets.layout import Split
from lcvision.errors import UserError
from lcvision.files import check_unpacked
from lcvision.registry import DATASETS
from lcvision.text import listing

LAYOUT = 'an .npz file of encoded images'
_SCHEME = 'npz'
_PARTS = ('data', 'offsets', 'labels')
_ARRAYS = ("'classes' and for each split (train, and test or val) '<split>_data', '<split>_offsets' and "
           "'<split>_labels'")
_BROKEN = (ValueError, OSError, EOFError, KeyError, TypeError, AttributeError, MemoryError, NotImplementedError,
           RuntimeError, zipfile.BadZipFile, zlib.error)


class NpzImages:
    """The images, labels, class names and names of splits in one file.

    Args:
        path: The file: ``classes`` are the names; for a split, ``<split>_data`` has its encoded images one after the
            other, ``<split>_offsets`` where each begins and the last ends, ``<split>_labels`` their classes.
    """

    def __init__(self, path: str | Path):
        self.path = str(path)
        try:
            check_unpacked(Path(path))
            with np.load(path, allow_pickle=False) as content:
                self._arrays = dict(content)
        except FileNotFoundError:
            raise UserError(f'no file {path}: put the data set there, or name a folder of images or an .npz file with '
                            '--data, or try --data sample') from None
        except _BROKEN as error:
            reason = str(error).partition('\n')[0]
            raise UserError(f'{path} is not an .npz file that can be read ({reason}): it may be truncated; copy it '
                            'again') from error
        self.splits = tuple(key.removesuffix('_labels') for key in self._arrays if key.endswith('_labels'))
        lacking = [key for key in ('classes', *(f'{s}_{part}' for s in self.splits for part in _PARTS))
                   if key not in self._arrays]
        if lacking or not self.splits:
            raise UserError(f"{path} has no {', '.join(lacking) or '<split>_labels'}: a data set needs the arrays "
                            f"{_ARRAYS}; this file has {', '.join(self._arrays) or 'none'}")
        self.classes = tuple(str(name) for name in np.atleast_1d(self._arrays['classes']))
        for split in self.splits:
            self._check(split)

    def labels(self, split: str) -> np.ndarray:
        """Classes of a split's images, int, shape (N,); an unknown split is a ``UserError``."""
        if split not in self.splits:
            raise UserError(f"{self.path} has no split '{split}', only {', '.join(self.splits)}: name one of these")
        return self._arrays[f'{split}_labels']

    def encoded(self, split: str, index: int) -> bytes:
        """The file of one image."""
        start, end = self._arrays[f'{split}_offsets'][index:index + 2]
        return self._arrays[f'{split}_data'][start:end].tobytes()

    def address(self, split: str, index: int) -> str:
        """The path by which mmengine reads one image."""
        return f'{_SCHEME}://{self.path}/{split}_{index:05d}.jpg'

    def _check(self, split: str) -> None:
        data, offsets, labels = (self._arrays[f'{split}_{part}'] for part in _PARTS)
        shapes = data.ndim == offsets.ndim == labels.ndim == 1 and len(offsets) == len(labels) + 1
        kinds = data.dtype == np.uint8 and offsets.dtype.kind in 'iu' and labels.dtype.kind in 'iu'
        if not shapes or not kinds or offsets[0] != 0 or offsets[-1] != len(data) or (np.diff(offsets) < 0).any():
            found = [f'{array.dtype} {array.shape}' for array in (data, offsets, labels)]
            raise UserError(f"{self.path}: the arrays of '{split}' do not fit together: {split}_data must be bytes "
                            f'(uint8), {split}_offsets whole numbers that ascend from 0 to its length, one more than '
                            f'there are {split}_labels; got {found[0]}, {found[1]} and {found[2]}')
        if not len(labels):
            raise UserError(f"{self.path}: the split '{split}' has no images, but needs at least one")
        wrong = np.flatnonzero((labels < 0) | (labels >= len(self.classes)))
        if len(wrong):
            raise UserError(f'{self.path}: {split}_labels[{wrong[0]}] is {labels[wrong[0]]}, but labels of '
                            f'{len(self.classes)} classes lie in 0..{len(self.classes) - 1} ({len(wrong)} such labels)')


@DATASETS.register_module()
class NpzImageDataset(BaseDataset):
    """One split of an ``.npz`` file of encoded images.

    The file is read once, into memory that forked workers share; an image is decoded when the pipeline loads it, by
    ``lcvision.LoadAnyImage`` from its ``img_path``.

    Args:
        data_file, split: The file, see :class:`NpzImages`, and which of its splits: 'train', 'test' or 'val'.
        pipeline, kwargs: What mmpretrain's ``BaseDataset`` takes: metainfo, data_root, indices, test_mode, ...
    """

    def __init__(self, data_file: str, split: str = 'train', pipeline: Sequence = (), **kwargs) -> None:
        self.split = split
        super().__init__(ann_file=str(data_file), pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Lists the address and the label of every image."""
        images = open_npz(self.ann_file)
        self._metainfo.setdefault('classes', images.classes)
        return [dict(img_path=images.address(self.split, index), gt_label=int(label))
                for index, label in enumerate(images.labels(self.split))]


def holds(root: Path) -> bool:
    """Whether a path is such a file, or a folder with at least one."""
    return root.suffix == '.npz' if root.is_file() else any(root.glob('*.npz'))


def find(root: Path, split: str, other: Split | None = None) -> Split:
    """Reads a split of the file, or of the only one in a folder; without a split 'val', 'test' is taken for it."""
    files = [root] if root.is_file() else sorted(root.glob('*.npz'))
    if len(files) > 1:
        raise UserError(f'{root} has several .npz files ({listing([path.name for path in files])}): name one of them')
    images = open_npz(str(files[0]))
    if split == 'val' and 'val' not in images.splits:
        split = 'test'
    dataset = dict(type='lcvision.NpzImageDataset', data_file=images.path, split=split)
    return Split(files[0], images.classes, len(images.labels(split)), dataset)


@lru_cache(maxsize=4)
def open_npz(path: str) -> NpzImages:
    """Reads a file once in each process; forked workers share what was read before."""
    return NpzImages(path)


@register_backend(_SCHEME, prefixes=_SCHEME, force=True)
class NpzBackend(BaseStorageBackend):
    """Gives mmengine the content of an ``npz://`` address."""

    def get(self, filepath: str) -> bytes:
        """The encoded image at an address."""
        path, _, name = str(filepath).removeprefix(f'{_SCHEME}://').rpartition('/')
        split, _, index = Path(name).stem.rpartition('_')
        return open_npz(path).encoded(split, int(index))

    def get_text(self, filepath: str, encoding: str = 'utf-8') -> str:
        """Refuses: images are no text."""
        raise NotImplementedError(f'{filepath} is an image, not a text')
