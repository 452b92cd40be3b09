"""Reads a folder in Cityscapes layout."""
from collections import Counter
from pathlib import Path

from lcvision.datasets.file_names import file_names
from lcvision.errors import UserError

LAYOUT = ('leftImg8bit/{train,val}/**/*_leftImg8bit.png or .jpg with '
          'gtFine/{train,val}/**/*_gtFine_labelTrainIds.png or *_gtFine_labelIds.png')
_IMAGE_END = '_leftImg8bit'
_IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg')
# Masks of training labels are taken as they are, hence first where there are as many of both.
_DATASETS = {'_gtFine_labelTrainIds.png': 'CityscapesDataset',
             '_gtFine_labelIds.png': 'lcvision.CityscapesLabelIdsDataset'}


def is_cityscapes(root: Path) -> bool:
    """Tells whether a folder has at least one of the two folders of the layout."""
    return (root / 'leftImg8bit').is_dir() or (root / 'gtFine').is_dir()


def find_cityscapes(root: Path, split: str) -> dict:
    """Finds a split of a folder in Cityscapes layout.

    Args:
        root: Folder with ``leftImg8bit/`` and ``gtFine/``.
        split: 'train' or 'val'.

    Returns:
        Entries of the config of a dataset on this split, as :func:`read_cityscapes` gives them.

    Raises:
        UserError: See :func:`read_cityscapes`.
    """
    return read_cityscapes(root / 'leftImg8bit' / split, root / 'gtFine' / split)


def read_cityscapes(image_folder: Path, mask_folder: Path) -> dict:
    """Tells how images and masks of Cityscapes are named in two folders.

    Args:
        image_folder: With images at any depth.
        mask_folder: With masks at the same places.

    Returns:
        Entries of the config of a dataset on them.

    Raises:
        UserError: A folder is missing or has no such files, or the images have different formats.
    """
    for folder in (image_folder, mask_folder):
        if not folder.is_dir():
            raise UserError(f'no folder {folder}: Cityscapes layout is {LAYOUT}')
    formats = Counter(Path(name).suffix for name in file_names(image_folder) if Path(name).stem.endswith(_IMAGE_END)
                      and Path(name).suffix in _IMAGE_SUFFIXES)
    if not formats:
        raise UserError(f'{image_folder} is empty: it has no image *{_IMAGE_END}.png or .jpg; Cityscapes layout is '
                        f'{LAYOUT}')
    if len(formats) > 1:
        raise UserError(f'{image_folder} has images of {len(formats)} formats '
                        f'({", ".join(f"{count} {suffix}" for suffix, count in formats.items())}): convert all to one')
    masks = Counter(end for name in file_names(mask_folder) for end in _DATASETS if name.endswith(end))
    if not masks:
        raise UserError(f'{mask_folder} is empty: it has no mask {" or ".join("*" + end for end in _DATASETS)}')
    mask_end = max(_DATASETS, key=lambda end: masks[end])
    return dict(type=_DATASETS[mask_end], data_prefix=dict(img_path=str(image_folder), seg_map_path=str(mask_folder)),
                img_suffix=_IMAGE_END + next(iter(formats)), seg_map_suffix=mask_end)
