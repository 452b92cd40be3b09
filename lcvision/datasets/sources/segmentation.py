"""Segmentation: folders in Cityscapes layout, and pairs of folders of images and masks."""
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from logging import WARNING
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from lcvision.datasets import cityscapes_folder, mask_folder
from lcvision.datasets.mask_check import Checked, Size, check_masks
from lcvision.datasets.mask_coding import MaskCoding
from lcvision.datasets.sources.config_edits import innermost, set_num_classes
from lcvision.datasets.sources.sized_steps import fit_sizes
from lcvision.errors import UserError

if TYPE_CHECKING:
    from mmseg.datasets import BaseSegDataset

LAYOUT = 'a folder in Cityscapes layout, or with images/ and masks/'

# What of a dataset's config is about files and their meaning.
_DATA_KEYS = ('type', 'data_root', 'ann_file', 'data_prefix', 'img_suffix', 'seg_map_suffix', 'metainfo',
              'reduce_zero_label', 'part', 'by_colour', 'ignored_colours')


@dataclass(frozen=True)
class MaskSplit:
    """One split of a segmentation data set.

    Attributes:
        dataset: Entries of the config of its dataset.
        classes: Class names in the order of the labels.
        sizes: How many images there are of each (width, height).
    """

    dataset: dict
    classes: tuple[str, ...]
    sizes: Counter[Size]

    @property
    def num_images(self) -> int:
        """Images of the split."""
        return self.sizes.total()

    @property
    def usual_size(self) -> Size:
        """The most frequent (width, height)."""
        return self.sizes.most_common(1)[0][0]


def use_source(cfg: Config, root: Path, train: bool) -> MaskSplit:
    """Points a segmentation config at a folder, see :func:`lcvision.datasets.sources.use_source`.

    Besides, ``image_size`` becomes the most frequent size of the images evaluated, images of different sizes are
    evaluated one at a time, sizes in the pipelines are changed as :func:`fit_sizes` says, and class weights as
    :func:`set_num_classes` does.

    Raises:
        UserError: The folder is in neither layout or faulty.
    """
    former, size = _classes(cfg.train_dataloader), tuple(cfg.get('image_size') or ()) or None
    val = _split(_find(root, 'val'))
    splits = dict(val=val, test=val)
    if train:
        splits['train'] = _split(_find(root, 'train', val.dataset), training=True)
    else:
        # Unchecked: a test only compares with what the training masks alone would predict.
        with suppress(UserError):
            _point(cfg.train_dataloader, MaskSplit(_find(root, 'train', val.dataset), val.classes, Counter()))
    for name, split in splits.items():
        _point(cfg[f'{name}_dataloader'], split)
        fit_sizes(innermost(cfg[f'{name}_dataloader']['dataset'])['pipeline'], size, split.usual_size)
    if train:
        fit_sizes(cfg.model.get('data_preprocessor') or [], None, splits['train'].usual_size)
    cfg.image_size = val.usual_size
    set_num_classes(cfg.model, len(val.classes), other=former is not None and former != val.classes)
    return splits['train' if train else 'val']


def check_source(cfg: Config, train: bool) -> int:
    """Checks the data that a config names by itself, see :func:`lcvision.datasets.sources.check_source`."""
    splits = {}
    for name in ('train', 'val') if train else ('test',):
        loader = cfg[f'{name}_dataloader']
        dataset = innermost(loader['dataset'])
        folders = _folders(dataset)
        for folder in folders:
            if not folder.is_dir():
                root = dataset.get('data_root') or folder.parent
                raise UserError(f'no data set in {Path(root).resolve()}: the folder {folder} is missing; put '
                                'Cityscapes there (leftImg8bit/, gtFine/), or name any folder in its layout or with '
                                'images/ and masks/ with --data DIR, or try --data sample')
        if len(folders) == 2 and dataset['type'].rpartition('.')[2] in ('CityscapesDataset',
                                                                       'CityscapesLabelIdsDataset'):
            splits[name] = _split(cityscapes_folder.read_cityscapes(*folders), name == 'train')
            _point(loader, splits[name])
        else:
            splits[name] = _split(_entries(dataset), name == 'train')
    cfg.image_size = list(splits.values())[-1].usual_size
    return next(iter(splits.values())).num_images


def _find(root: Path, split: str, other: dict | None = None) -> dict:
    if cityscapes_folder.is_cityscapes(root):
        return cityscapes_folder.find_cityscapes(root, split)
    if mask_folder.is_mask_folder(root):
        return mask_folder.find_mask_folder(root, split, other)
    raise UserError(f'{root} is in neither of the two layouts: Cityscapes layout is {cityscapes_folder.LAYOUT}; the '
                    f'other is {mask_folder.LAYOUT}')


def _folders(dataset: ConfigDict) -> list[Path]:
    """Folders of the images and, where they are apart, of the masks."""
    prefix = dataset.get('data_prefix') or {}
    return [Path(dataset.get('data_root') or '', prefix[key]) for key in ('img_path', 'seg_map_path')
            if prefix.get(key) is not None]


def _entries(dataset: ConfigDict) -> dict:
    return {key: dataset[key] for key in _DATA_KEYS if key in dataset}


def _build(entries: dict) -> 'BaseSegDataset':
    from mmseg.registry import DATASETS
    # Whatever scope another runner of this process has left.
    return DATASETS.build({**entries, 'pipeline': [], 'lazy_init': True, '_scope_': 'mmseg'})


def _classes(loader: ConfigDict) -> tuple[str, ...] | None:
    """Class names of a config's own data, which need not be there."""
    try:
        return tuple(_build(_entries(innermost(loader['dataset']))).metainfo['classes'])
    except Exception:  # it is going to be replaced, and may be of any kind
        return None


def _split(entries: dict, training: bool = False) -> MaskSplit:
    """Builds the dataset, asks it for its files, and checks them."""
    dataset = _build(entries)
    infos = dataset.load_data_list()
    classes = tuple(dataset.metainfo['classes'])
    first = infos[0] if infos else {}
    coding = MaskCoding(len(classes), dataset.ignore_index, first.get('label_map'), first.get('mask_colours'),
                        dataset.reduce_zero_label)
    pairs = [(Path(info['img_path']), Path(info['seg_map_path'])) for info in infos]
    place = str(dataset.data_prefix['img_path'])
    found = check_masks(pairs, coding, place)
    if training:
        listed = entries['type'].rpartition('.')[2] == 'MaskFolderDataset'
        _tell_absent(classes, found, len(pairs), place, dataset.ignore_index if listed and found.ignored else None)
    return MaskSplit(entries, classes, found.sizes)


def _tell_absent(classes: tuple[str, ...], found: Checked, num_masks: int, place: str, ignored: int | None) -> None:
    """Tells which classes have no pixel, and refuses masks whose pixels of a class may be those taken for ignored."""
    absent = [name for label, name in enumerate(classes) if label not in found.labels]
    if not absent:
        return
    what = (f'no mask of {place}' if found.num_read == num_masks else
            f'none of {found.num_read} masks of {place}, of {num_masks},') + f' has a pixel of {", ".join(absent)}'
    # In a sample a rare class may be absent, but hardly all classes but one.
    if ignored is not None and (found.num_read == num_masks or len(absent) == len(classes) - 1):
        raise UserError(f'{what}, while many may have the value {ignored}, which does not count unless classes.txt '
                        f'says so: write the value of each class there, as in "{absent[-1]} {ignored} {ignored} '
                        f'{ignored}", and "ignore {ignored} {ignored} {ignored}" if that is no class')
    print_log(f'{what}: {len(absent)} of {len(classes)} classes cannot be learnt', logger='current', level=WARNING)


def _point(loader: ConfigDict, split: MaskSplit) -> None:
    dataset = innermost(loader['dataset'])
    for key in _DATA_KEYS:
        dataset.pop(key, None)
    dataset.update(split.dataset)
    # The loading transform checks the labels.
    set_num_classes(dataset['pipeline'], len(split.classes))
    if len(split.sizes) > 1 and dataset.get('test_mode'):
        loader['batch_size'] = 1
