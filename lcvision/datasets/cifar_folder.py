"""CIFAR as its authors give it: whether it is there and whole, so that nothing is ever downloaded."""
from pathlib import Path

from lcvision.datasets.several import first_of
from lcvision.errors import UserError

# mmpretrain's class and the folder that the archive unpacks to.
CIFAR_FOLDERS = {'CIFAR10': 'cifar-10-batches-py', 'CIFAR100': 'cifar-100-python'}
_NUM_IMAGES = {'train': 50_000, 'test': 10_000}


def find_cifar(root: Path) -> str | None:
    """The mmpretrain class that reads ``root``, or None if neither CIFAR-10 nor CIFAR-100 is unpacked there."""
    found = {root / folder: kind for kind, folder in CIFAR_FOLDERS.items() if (root / folder).is_dir()}
    return found[first_of(list(found), 'the data set', 'the one of ten classes comes first')] if found else None


def check_cifar(kind: str, root: Path, split: str) -> tuple[int, tuple[str, ...]]:
    """Checks that all files are there and are the authors'.

    Args:
        kind: 'CIFAR10' or 'CIFAR100'.
        root: Folder in which the archive was unpacked.
        split: 'train' or 'test'.

    Returns:
        Images of the split, and class names in the order of the labels.

    Raises:
        UserError: A file is missing or another one.
    """
    from mmpretrain.datasets import CIFAR10, CIFAR100
    from mmpretrain.datasets.utils import check_md5
    cifar = {'CIFAR10': CIFAR10, 'CIFAR100': CIFAR100}[kind]
    folder = root / CIFAR_FOLDERS[kind]
    for name, md5 in (*cifar.train_list, *cifar.test_list):
        if not (folder / name).is_file():
            raise UserError(f'no data set in {root.resolve()}: {folder / name} is missing; unpack {cifar.filename} '
                            'there, or name other images with --data, or try --data sample')
        # Unpickling runs what a file says, so that only the known ones are read.
        if not check_md5(str(folder / name), md5):
            raise UserError(f'{folder / name} is not the file of {kind} (its MD5 differs): it may be torn; unpack '
                            f'{cifar.filename} again')
    return _NUM_IMAGES[split], tuple(cifar.METAINFO['classes'])
