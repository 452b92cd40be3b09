"""Finds the splits of a tree of images, one folder a class, and says what is wrong with one before anything runs."""
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lcvision.datasets.several import first_of
from lcvision.errors import UserError
from lcvision.text import listing

EXTENSIONS = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.ppm', '.pgm')
# Other names that a validation split goes by; the first that is there counts.
_NAMES = {'train': ('train', 'training'), 'val': ('val', 'validation', 'valid', 'test')}


@dataclass(frozen=True)
class ImageFolder:
    """One split of a tree of images.

    Attributes:
        folder: Holds one folder for each class.
        classes: Names of these folders, sorted, which is the order of the labels.
        num_images: Images in all of them.
    """

    folder: Path
    classes: tuple[str, ...]
    num_images: int


def has_splits(root: Path) -> bool:
    """Whether ``root`` holds folders that are named as splits."""
    return any((root / name).is_dir() for names in _NAMES.values() for name in names)


def find_image_folder(root: Path, split: str) -> ImageFolder:
    """Finds and checks a split below ``root``.

    Args:
        root: Folder with ``train/`` and ``val/``.
        split: 'train' or 'val'; for the latter ``validation/``, ``valid/`` and ``test/`` are taken, too.

    Raises:
        UserError: There is none, or :func:`check_image_folder` finds a fault.
    """
    found = [root / name for name in _NAMES[split] if (root / name).is_dir()]
    if found:
        # Beside a validation split a test split is no candidate.
        named = [path for path in found if path.name != 'test'] or found
        return check_image_folder(first_of(named, f'the split {split!r}', f'the first of {", ".join(_NAMES[split])}'))
    expected = f'expected {root}/train/CLASS/*.jpg and {root}/val/CLASS/*.jpg'
    # Only what lies right there: root may be a whole disk.
    classes = [path.name for path in _folders(root) if _count(next(os.walk(path), ((), (), ()))[2])]
    if len(classes) > 1 and not has_splits(root):
        raise UserError(f'{root} holds the classes {listing(classes)} without splits: put about a tenth of each '
                        f"class's images in {root}/val and the others in {root}/train; {expected}")
    raise UserError(f"{root} is not a tree of images: it has no folder '{split}'; {expected}, or one .npz file of "
                    'encoded images')


def check_image_folder(folder: Path) -> ImageFolder:
    """Checks a folder of classes: there are some, and each has an image.

    Raises:
        UserError: It has no folders of classes, or one of them has no image.
    """
    classes = _folders(folder)
    if not classes:
        images = _count_images(folder)
        what = f'its {images} images lie in no folder of a class' if images else 'it has no folders'
        raise UserError(f'{folder} has no classes: {what}; the images of each class belong in a folder of its name, '
                        f'{folder}/CLASS/*.jpg')
    counts = {path.name: _count_images(path) for path in classes}
    empty = [name for name, count in counts.items() if not count]
    if empty:
        raise UserError(f'{folder / empty[0]} has no image ({", ".join(EXTENSIONS)}), but every folder in {folder} is '
                        f'a class: put images there or remove the folder{_others(empty)}')
    return ImageFolder(folder, tuple(counts), sum(counts.values()))


def _folders(folder: Path) -> list[Path]:
    # Folders with a dot count, too, since mmpretrain takes them for classes.
    return sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.name)


def _count_images(folder: Path) -> int:
    return sum(_count(names) for _, _, names in os.walk(folder, followlinks=True))


def _count(names: Iterable[str]) -> int:
    return sum(not name.startswith('.') and name.lower().endswith(EXTENSIONS) for name in names)


def _others(names: Sequence[str]) -> str:
    return f', and {listing(names[1:])} likewise' if len(names) > 1 else ''
