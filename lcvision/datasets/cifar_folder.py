"""CIFAR in its authors' files, which are checked and never downloaded."""
from pathlib import Path

from mmpretrain.datasets import CIFAR10, CIFAR100
from mmpretrain.datasets.utils import check_md5

from lcvision.datasets.layout import Split, first_of
from lcvision.errors import UserError

# The folder that each archive unpacks to.
FOLDERS = {'CIFAR10': 'cifar-10-batches-py', 'CIFAR100': 'cifar-100-python'}
LAYOUT = f'a folder with {" or ".join(FOLDERS.values())}'
_CLASSES = {'CIFAR10': CIFAR10, 'CIFAR100': CIFAR100}
_NUM_IMAGES = {'train': 50_000, 'test': 10_000}


def holds(root: Path) -> bool:
    """Whether CIFAR-10 or CIFAR-100 is unpacked in a folder."""
    return any((root / folder).is_dir() for folder in FOLDERS.values())


def find(root: Path, split: str, other: Split | None = None) -> Split:
    """Finds and checks a split; 'val' is the test split."""
    found = {root / folder: kind for kind, folder in FOLDERS.items() if (root / folder).is_dir()}
    kind = found[first_of(list(found), 'the data set', 'the one of ten classes comes first')]
    return check_cifar(kind, root, 'train' if split == 'train' else 'test')


def check_cifar(kind: str, root: Path, split: str) -> Split:
    """Checks that all files of 'CIFAR10' or 'CIFAR100', unpacked in ``root``, exist and are the authors'."""
    cifar, folder = _CLASSES[kind], root / FOLDERS[kind]
    for name, md5 in (*cifar.train_list, *cifar.test_list):
        if not (folder / name).is_file():
            raise UserError(f'no data set in {root.resolve()}: {folder / name} is missing; unpack {cifar.filename} '
                            'there, or name other images with --data, or try --data sample')
        # Unpickling runs what a file says, so that only the known ones are read.
        if not check_md5(str(folder / name), md5):
            raise UserError(f'{folder / name} is not the file of {kind} (its MD5 differs): it may be truncated; unpack '
                            f'{cifar.filename} again')
    dataset = dict(type=f'mmpretrain.{kind}', data_root=str(root), download=False, split=split)
    return Split(root, tuple(cifar.METAINFO['classes']), _NUM_IMAGES[split], dataset)
