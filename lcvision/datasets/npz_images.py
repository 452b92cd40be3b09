"""Encoded images of a whole data set in one ``.npz`` file, each with an address that reads like a file's path.

``npz://FOLDER/SET.npz/train_00017.jpg`` is image 17 of the training split: with the backend registered here, whatever
reads images through mmengine reads these.
"""
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from mmengine.fileio import BaseStorageBackend, register_backend

from lcvision.errors import UserError

_SCHEME = 'npz'
_PARTS = ('data', 'offsets', 'labels')
_LAYOUT = ("'classes' and for each split (train, and test or val) '<split>_data', '<split>_offsets' and "
           "'<split>_labels'")
_BROKEN = (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)


class NpzImages:
    """The images, labels and class names of one file.

    Args:
        path: The file: ``classes`` holds the names; for a split, ``<split>_data`` is its encoded images one after the
            other, ``<split>_offsets`` where each begins and the last ends, ``<split>_labels`` their classes.

    Attributes:
        path: As given.
        classes: Class names in the order of the labels.
        splits: Names of the splits.

    Raises:
        UserError: The file is missing, torn, or not of this layout.
    """

    def __init__(self, path: str | Path):
        self.path = str(path)
        self._arrays = _read(self.path)
        self.splits = tuple(key.removesuffix('_labels') for key in self._arrays if key.endswith('_labels'))
        lacking = [key for key in ('classes', *(f'{s}_{part}' for s in self.splits for part in _PARTS))
                   if key not in self._arrays]
        if lacking or not self.splits:
            raise UserError(f"{path} has no {', '.join(lacking) or '<split>_labels'}: a data set needs the arrays "
                            f"{_LAYOUT}; this file has {', '.join(self._arrays) or 'none'}")
        self.classes = tuple(str(name) for name in np.atleast_1d(self._arrays['classes']))
        for split in self.splits:
            self._check(split)

    def has(self, split: str) -> bool:
        """Whether there is such a split."""
        return split in self.splits

    def labels(self, split: str) -> np.ndarray:
        """Classes of a split's images, int, shape (N,).

        Raises:
            UserError: There is no such split.
        """
        if split not in self.splits:
            raise UserError(f"{self.path} has no split '{split}', only {', '.join(self.splits)}: name one of these")
        return self._arrays[f'{split}_labels']

    def encoded(self, split: str, index: int) -> bytes:
        """One image as it is encoded."""
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
            raise UserError(f"{self.path}: the arrays of '{split}' do not fit together: {split}_data must be bytes "
                            f'(uint8), {split}_offsets whole numbers that ascend from 0 to its length, one more than '
                            f'there are {split}_labels; got {_describe(data)}, {_describe(offsets)} and '
                            f'{_describe(labels)}')
        if not len(labels):
            raise UserError(f"{self.path}: the split '{split}' has no images, but needs one at least")
        wrong = np.flatnonzero((labels < 0) | (labels >= len(self.classes)))
        if len(wrong):
            raise UserError(f'{self.path}: {split}_labels[{wrong[0]}] is {labels[wrong[0]]}, but labels of '
                            f'{len(self.classes)} classes lie in 0..{len(self.classes) - 1} ({len(wrong)} such labels)')


@lru_cache(maxsize=4)
def open_npz(path: str) -> NpzImages:
    """Reads a file once for each process; workers that are forked share what was read before."""
    return NpzImages(path)


@register_backend(_SCHEME, prefixes=_SCHEME, force=True)
class NpzBackend(BaseStorageBackend):
    """What mmengine asks for the content of an ``npz://`` address."""

    def get(self, filepath: str) -> bytes:
        """The encoded image at an address."""
        path, _, name = str(filepath).removeprefix(f'{_SCHEME}://').rpartition('/')
        split, _, index = Path(name).stem.rpartition('_')
        return open_npz(path).encoded(split, int(index))

    def get_text(self, filepath: str, encoding: str = 'utf-8') -> str:
        """Refuses: images are no text."""
        raise NotImplementedError(f'{filepath} is an image, not a text')


def _read(path: str) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as content:
            return dict(content)
    except FileNotFoundError:
        raise UserError(f'no file {path}: put the data set there, or name a folder of images or an .npz file with '
                        '--data, or try --data sample') from None
    except (*_BROKEN, TypeError, AttributeError) as error:
        raise UserError(f'{path} is not an .npz file that can be read ({error}): it may be torn; copy it '
                        'again') from error


def _describe(array: np.ndarray) -> str:
    return f'{array.dtype} {tuple(array.shape)}'
