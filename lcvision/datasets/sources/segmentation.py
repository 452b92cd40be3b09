"""Segmentation: folders in Cityscapes layout, and pairs of folders of images and masks."""
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from lcvision.datasets import cityscapes_folder, mask_folder
from lcvision.datasets.mask_check import Size, check_masks
from lcvision.datasets.mask_coding import MaskCoding
from lcvision.datasets.sources.config_edits import innermost, set_num_classes
from lcvision.errors import UserError

# What of a dataset's config is about files and their meaning.
_DATA_KEYS = ('type', 'data_root', 'ann_file', 'data_prefix', 'img_suffix', 'seg_map_suffix', 'metainfo',
              'reduce_zero_label', 'part', 'by_colour', 'ignored_colours')


@dataclass(frozen=True)
class MaskSplit:
    """One split of a segmentation data set.

    Args:
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
    evaluated one at a time, and crops larger than the usual training image are made as large as that.

    Raises:
        UserError: The folder is in neither layout or faulty.
    """
    val = _split(_find(root, 'val'))
    splits = dict(val=val, test=val)
    if train:
        splits['train'] = _split(_find(root, 'train'))
    else:
        # Unchecked: a test only compares with what the training masks alone would predict.
        with suppress(UserError):
            _point(cfg.train_dataloader, MaskSplit(_find(root, 'train'), val.classes, Counter()))
    for name, split in splits.items():
        _point(cfg[f'{name}_dataloader'], split)
    _fit(cfg, splits)
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
            splits[name] = _split(cityscapes_folder.read_cityscapes(*folders))
            _point(loader, splits[name])
        else:
            splits[name] = _split({key: dataset[key] for key in _DATA_KEYS if key in dataset})
    cfg.image_size = list(splits.values())[-1].usual_size
    return next(iter(splits.values())).num_images


def _find(root: Path, split: str) -> dict:
    if cityscapes_folder.is_cityscapes(root):
        return cityscapes_folder.find_cityscapes(root, split)
    if mask_folder.is_mask_folder(root):
        return mask_folder.find_mask_folder(root, split)
    raise UserError(f'{root} is in neither of the two layouts: Cityscapes layout is {cityscapes_folder.LAYOUT}; the '
                    f'other is {mask_folder.LAYOUT}')


def _folders(dataset: ConfigDict) -> list[Path]:
    """Folders of the images and, where they are apart, of the masks."""
    prefix = dataset.get('data_prefix') or {}
    return [Path(dataset.get('data_root') or '', prefix[key]) for key in ('img_path', 'seg_map_path')
            if prefix.get(key) is not None]


def _split(entries: dict) -> MaskSplit:
    """Builds the dataset, asks it for its files, and checks them."""
    from mmseg.registry import DATASETS
    # Whatever scope another runner of this process has left.
    dataset = DATASETS.build({**entries, 'pipeline': [], 'lazy_init': True, '_scope_': 'mmseg'})
    infos = dataset.load_data_list()
    classes = tuple(dataset.metainfo['classes'])
    first = infos[0] if infos else {}
    coding = MaskCoding(len(classes), dataset.ignore_index, first.get('label_map'), first.get('mask_colours'),
                        dataset.reduce_zero_label)
    pairs = [(Path(info['img_path']), Path(info['seg_map_path'])) for info in infos]
    return MaskSplit(entries, classes, check_masks(pairs, coding, str(dataset.data_prefix['img_path'])))


def _point(loader: ConfigDict, split: MaskSplit) -> None:
    dataset = innermost(loader['dataset'])
    for key in _DATA_KEYS:
        dataset.pop(key, None)
    dataset.update(split.dataset)
    # The loading transform checks the labels.
    set_num_classes(dataset['pipeline'], len(split.classes))
    if len(split.sizes) > 1 and dataset.get('test_mode'):
        loader['batch_size'] = 1


def _fit(cfg: Config, splits: dict[str, MaskSplit]) -> None:
    cfg.image_size = splits['val'].usual_size
    set_num_classes(cfg.model, len(splits['val'].classes))
    if 'train' not in splits:
        return
    width, height = splits['train'].usual_size
    for step in innermost(cfg.train_dataloader['dataset'])['pipeline']:
        name = step['type'].rpartition('.')[2]
        if name == 'RandomCrop':
            before = step['crop_size']
            step['crop_size'] = min(before[0], height), min(before[1], width)
            if step['crop_size'] != before:
                print_log(f'crops of {before[1]}x{before[0]} are made {step["crop_size"][1]}x{step["crop_size"][0]}: '
                          f'the images are {width}x{height}', logger='current')
        elif name == 'Pad' and step.get('size'):
            step['size'] = min(step['size'][0], width), min(step['size'][1], height)
