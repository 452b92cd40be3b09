"""Cityscapes: folders in its layout, with the masks of the download or with training labels."""
from collections import Counter
from pathlib import Path

from mmseg.datasets import CityscapesDataset

from lcvision.datasets.layout import file_names
from lcvision.errors import UserError
from lcvision.registry import DATASETS

LAYOUT = ('a folder in Cityscapes layout (leftImg8bit/{train,val}/**/*_leftImg8bit.png or .jpg with '
          'gtFine/{train,val}/**/*_gtFine_labelTrainIds.png or *_gtFine_labelIds.png)')
_IMAGE_END = '_leftImg8bit'
_IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg')
# Masks of training labels need no mapping, hence first where there are as many of both.
_DATASETS = {'_gtFine_labelTrainIds.png': 'CityscapesDataset',
             '_gtFine_labelIds.png': 'lcvision.CityscapesLabelIdsDataset'}


@DATASETS.register_module()
class CityscapesLabelIdsDataset(CityscapesDataset):
    """mmseg's ``CityscapesDataset`` on ``*_gtFine_labelIds.png``, the ids 0..33 that the data set is shipped with.

    The loading transform maps them to the 19 training classes, the 15 others to 255, so that the masks
    ``*_gtFine_labelTrainIds.png`` need not be made first.

    Args:
        seg_map_suffix: Ending of a mask's name, in place of the image's.
        metainfo: As for mmseg's datasets; the classes are the 19, or some of them.
        kwargs: What mmseg's ``CityscapesDataset`` takes.

    Source: labels.py of cityscapesScripts.
    """

    # In the order of the ids, from which mmseg derives what a value in a file means.
    METAINFO = dict(classes=(
        'unlabeled', 'ego vehicle', 'rectification border', 'out of roi', 'static', 'dynamic', 'ground', 'road',
        'sidewalk', 'parking', 'rail track', 'building', 'wall', 'fence', 'guard rail', 'bridge', 'tunnel', 'pole',
        'polegroup', 'traffic light', 'traffic sign', 'vegetation', 'terrain', 'sky', 'person', 'rider', 'car',
        'truck', 'bus', 'caravan', 'trailer', 'train', 'motorcycle', 'bicycle'))

    def __init__(self, seg_map_suffix: str = '_gtFine_labelIds.png', metainfo: dict | None = None, **kwargs) -> None:
        super().__init__(seg_map_suffix=seg_map_suffix, metainfo={**CityscapesDataset.METAINFO, **(metainfo or {})},
                         **kwargs)


def holds(root: Path) -> bool:
    """Whether a folder has at least one of the two folders of the layout."""
    return (root / 'leftImg8bit').is_dir() or (root / 'gtFine').is_dir()


def find(root: Path, split: str, other: dict | None = None) -> dict:
    """Entries of the config of a dataset on a split, as :func:`read_cityscapes` gives them."""
    return read_cityscapes(root / 'leftImg8bit' / split, root / 'gtFine' / split)


def read_cityscapes(image_folder: Path, mask_folder: Path) -> dict:
    """Entries of the config of a dataset on a folder with images at any depth, and one with masks at the same places.
    """
    for folder in (image_folder, mask_folder):
        if not folder.is_dir():
            raise UserError(f'no folder {folder}: expected {LAYOUT}')
    formats = Counter(Path(name).suffix for name in file_names(image_folder) if Path(name).stem.endswith(_IMAGE_END)
                      and Path(name).suffix in _IMAGE_SUFFIXES)
    if not formats:
        raise UserError(f'{image_folder} is empty: it has no image *{_IMAGE_END}.png or .jpg; expected {LAYOUT}')
    if len(formats) > 1:
        raise UserError(f'{image_folder} has images of {len(formats)} formats '
                        f'({", ".join(f"{count} {suffix}" for suffix, count in formats.items())}): convert all to one')
    masks = Counter(end for name in file_names(mask_folder) for end in _DATASETS if name.endswith(end))
    if not masks:
        raise UserError(f'{mask_folder} is empty: it has no mask {" or ".join("*" + end for end in _DATASETS)}')
    mask_end = max(_DATASETS, key=lambda end: masks[end])
    return dict(type=_DATASETS[mask_end], data_prefix=dict(img_path=str(image_folder), seg_map_path=str(mask_folder)),
                img_suffix=_IMAGE_END + next(iter(formats)), seg_map_suffix=mask_end)
