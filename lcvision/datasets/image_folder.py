"""Trees of images with one folder a class, and lists of images with their labels."""
import os
from collections.abc import Iterable
from pathlib import Path

from mmpretrain.datasets import CustomDataset

from lcvision.datasets.image_index import images_of_classes
from lcvision.datasets.layout import Split, first_of, missing_files, refuse_outside
from lcvision.errors import UserError
from lcvision.image_file import EXTENSIONS
from lcvision.registry import DATASETS
from lcvision.text import listing

LAYOUT = 'a tree of images (train/CLASS/*.jpg and val/CLASS/*.jpg)'
# Names of a split's folder; the first that exists counts.
_NAMES = {'train': ('train', 'training'), 'val': ('val', 'validation', 'valid', 'test')}


@DATASETS.register_module()
class ImageFolderDataset(CustomDataset):
    """mmpretrain's dataset of a tree of classes, which lists a large tree once and not at each start."""

    def load_data_list(self) -> list[dict]:
        """Path and label of every image."""
        return [dict(img_path=f'{self.img_prefix}/{name}/{image}', gt_label=label)
                for label, (name, images) in enumerate(images_of_classes(Path(self.img_prefix)).items())
                for image in images]


def holds(root: Path) -> bool:
    """Whether a folder has folders named as splits, or at least no .npz files, which are another layout."""
    return root.is_dir() and (_has_splits(root) or not any(root.glob('*.npz')))


def find(root: Path, split: str, other: Split | None = None) -> Split:
    """Finds and checks a split; for 'val', ``validation/``, ``valid/`` and ``test/`` are taken, too."""
    found = [root / name for name in _NAMES[split] if (root / name).is_dir()]
    if found:
        # Beside a validation split a test split is no candidate.
        named = [path for path in found if path.name != 'test'] or found
        folder = first_of(named, f'the split {split!r}', f'the first of {", ".join(_NAMES[split])}')
        first_of([folder, *sorted(root.glob('*.npz'))], f'the split {split!r}', 'folders come before .npz files')
        return check_image_folder(folder)
    expected = f'expected {root}/train/CLASS/*.jpg and {root}/val/CLASS/*.jpg'
    # Only what lies right there: root may be a whole disk.
    classes = [path.name for path in _folders(root) if _count(next(os.walk(path), ((), (), ()))[2])]
    if len(classes) > 1 and not _has_splits(root):
        raise UserError(f'{root} holds the classes {listing(classes)} without splits: put about a tenth of each '
                        f"class's images in {root}/val and the others in {root}/train; {expected}")
    raise UserError(f"{root} is not a tree of images: it has no folder '{split}'; {expected}, or one .npz file of "
                    'encoded images')


def check_image_folder(folder: Path) -> Split:
    """Checks a folder of classes, in the order of their names: there are some, and each has an image."""
    classes = _folders(folder)
    if not classes:
        images = _count_images(folder)
        what = f'its {images} images lie in no folder of a class' if images else 'it has no folders'
        raise UserError(f'{folder} has no classes: {what}; the images of each class belong in a folder of its name, '
                        f'{folder}/CLASS/*.jpg')
    counts = {name: len(images) for name, images in images_of_classes(folder).items()}
    empty = [name for name, count in counts.items() if not count]
    if empty:
        others = f', and {listing(empty[1:])} likewise' if empty[1:] else ''
        raise UserError(f'{folder / empty[0]} has no image ({", ".join(EXTENSIONS)}), but every folder in {folder} is '
                        f'a class: put images there or remove the folder{others}')
    dataset = dict(type='lcvision.ImageFolderDataset', data_prefix=str(folder), metainfo=dict(classes=tuple(counts)))
    return Split(folder, tuple(counts), sum(counts.values()), dataset)


def check_image_list(path: Path, folder: Path, num_classes: int) -> int:
    """Checks a list of images, one ``path label`` a line as in ImageNet's ``meta/train.txt``, and counts them.

    Args:
        path, folder: The list, and what its paths are relative to.
        num_classes: Labels lie below; 0 for any.
    """
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'the list of images {path} cannot be read ({error}): restore it') from error
    if not lines:
        raise UserError(f"the list of images {path} is empty: it needs a line 'path label' for each image")
    names = []
    for number, line in enumerate(lines, 1):
        name, _, label = line.strip().rpartition(' ')
        if not name or not label.isdecimal():
            raise UserError(f"{path}, line {number}: {line!r} is not 'path label', the label a whole number")
        if num_classes and int(label) >= num_classes:
            raise UserError(f'{path}, line {number}: the label is {label}, but labels of {num_classes} classes lie in '
                            f'0..{num_classes - 1}')
        names.append(name)
    refuse_outside(names, path)
    for name in missing_files(folder, names)[:1]:
        raise UserError(f'{path}, line {names.index(name) + 1}: {folder / name} does not exist: copy it there or '
                        'remove the line')
    return len(lines)


def _has_splits(root: Path) -> bool:
    return any((root / name).is_dir() for names in _NAMES.values() for name in names)


def _folders(folder: Path) -> list[Path]:
    # Folders with a dot count, too, since mmpretrain takes them for classes.
    return sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.name)


def _count_images(folder: Path) -> int:
    return sum(_count(names) for _, _, names in os.walk(folder, followlinks=True))


def _count(names: Iterable[str]) -> int:
    return sum(not name.startswith('.') and name.lower().endswith(EXTENSIONS) for name in names)
