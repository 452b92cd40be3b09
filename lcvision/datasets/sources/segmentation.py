"""Segmentation: folders in Cityscapes layout, and pairs of folders of images and masks."""
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from logging import WARNING
from pathlib import Path
from types import ModuleType

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from lcvision.datasets import cityscapes_folder, mask_folder
from lcvision.datasets.layout import Split
from lcvision.datasets.mask_check import Checked, Size, check_masks
from lcvision.datasets.mask_coding import MaskCoding
from lcvision.datasets.sources.config_edits import fit_sizes, innermost, set_num_classes
from lcvision.errors import UserError

LAYOUTS = (cityscapes_folder, mask_folder)

# Entries of a dataset's config about files and their meaning.
_DATA_KEYS = ('type', 'data_root', 'ann_file', 'data_prefix', 'img_suffix', 'seg_map_suffix', 'metainfo',
              'reduce_zero_label', 'part', 'by_colour', 'ignored_colours')


@dataclass(frozen=True)
class MaskSplit(Split):
    """One split of a segmentation data set, and how many of its images there are of each (width, height)."""

    sizes: Counter[Size]

    @property
    def usual_size(self) -> Size:
        """The most frequent (width, height)."""
        return self.sizes.most_common(1)[0][0]


def use_source(cfg: Config, layout: ModuleType, root: Path, train: bool) -> MaskSplit:
    """Points a segmentation config at other data, see :func:`lcvision.datasets.sources.use_source`.

    Besides, ``image_size`` becomes the most frequent size of the images evaluated, images of different sizes are
    evaluated one at a time, sizes in the pipelines change as in :func:`fit_sizes`, and class weights as in
    :func:`set_num_classes`.
    """
    former, size = _classes(cfg.train_dataloader), tuple(cfg.get('image_size') or ()) or None
    val = _split(layout.find(root, 'val', None))
    splits = dict(val=val, test=val)
    if train:
        splits['train'] = _split(layout.find(root, 'train', val.dataset), training=True)
    else:
        # Unchecked: a test only compares with what the training masks alone would predict.
        with suppress(UserError):
            _point(cfg.train_dataloader, layout.find(root, 'train', val.dataset), val.classes)
    for name, split in splits.items():
        _point(cfg[f'{name}_dataloader'], split.dataset, split.classes, split.sizes)
        fit_sizes(innermost(cfg[f'{name}_dataloader']['dataset'])['pipeline'], size, split.usual_size)
    if train:
        fit_sizes(cfg.model.get('data_preprocessor') or [], None, splits['train'].usual_size)
    cfg.image_size = val.usual_size
    set_num_classes(cfg.model, len(val.classes), other=former is not None and former != val.classes)
    return splits['train' if train else 'val']


def check_source(cfg: Config, train: bool) -> int:
    """Checks the data that a config itself names, see :func:`lcvision.datasets.sources.check_source`."""
    splits = []
    for name in ('train', 'val') if train else ('test',):
        loader = cfg[f'{name}_dataloader']
        dataset = innermost(loader['dataset'])
        prefix, root = dataset.get('data_prefix') or {}, dataset.get('data_root')
        folders = [Path(root or '', prefix[key]) for key in ('img_path', 'seg_map_path') if prefix.get(key) is not None]
        for folder in folders:
            if not folder.is_dir():
                raise UserError(f'no data set in {Path(root or folder.parent).resolve()}: the folder {folder} is '
                                'missing; put Cityscapes there (leftImg8bit/, gtFine/), or name any folder in its '
                                'layout or with images/ and masks/ with --data DIR, or try --data sample')
        own = len(folders) == 2 and dataset['type'].rpartition('.')[2] in ('CityscapesDataset',
                                                                           'CityscapesLabelIdsDataset')
        split = _split(cityscapes_folder.read_cityscapes(*folders) if own else _entries(dataset), name == 'train')
        if own:
            _point(loader, split.dataset, split.classes, split.sizes)
        splits.append(split)
    cfg.image_size = splits[-1].usual_size
    return splits[0].num_images


def _entries(dataset: ConfigDict) -> dict:
    return {key: dataset[key] for key in _DATA_KEYS if key in dataset}


def _build(entries: dict) -> BaseSegDataset:
    # Whatever scope another runner of this process has left.
    return DATASETS.build({**entries, 'pipeline': [], 'lazy_init': True, '_scope_': 'mmseg'})


def _classes(loader: ConfigDict) -> tuple[str, ...] | None:
    """Class names of a config's own data, which need not exist."""
    try:
        return tuple(_build(_entries(innermost(loader['dataset']))).metainfo['classes'])
    except Exception:  # it is going to be replaced, and may be of any kind
        return None


def open_masks(entries: dict) -> tuple[BaseSegDataset, list[tuple[Path, Path]], MaskCoding]:
    """Builds a dataset; returns it with its images and masks and what the values of these mean."""
    dataset = _build(entries)
    try:
        infos = dataset.load_data_list()
    except OSError as error:
        raise UserError(f'{error.filename} cannot be read ({error.strerror}): repair or remove it') from error
    first = infos[0] if infos else {}
    coding = MaskCoding(len(dataset.metainfo['classes']), dataset.ignore_index, first.get('label_map'),
                        first.get('mask_colours'), dataset.reduce_zero_label)
    return dataset, [(Path(info['img_path']), Path(info['seg_map_path'])) for info in infos], coding


def _split(entries: dict, training: bool = False) -> MaskSplit:
    """Checks the files of a dataset."""
    dataset, pairs, coding = open_masks(entries)
    classes, place = tuple(dataset.metainfo['classes']), dataset.data_prefix['img_path']
    found = check_masks(pairs, coding, place)
    if training:
        listed = entries['type'].rpartition('.')[2] == 'MaskFolderDataset'
        _report_absent(classes, found, len(pairs), place, dataset.ignore_index if listed and found.ignored else None)
    return MaskSplit(Path(place), classes, len(pairs), entries, found.sizes)


def _report_absent(classes: tuple[str, ...], found: Checked, num_masks: int, place: str, ignored: int | None) -> None:
    """Logs classes without a pixel, and refuses masks whose pixels of such a class may be those taken for ignored."""
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
    print_log(f'{what}: {len(absent)} of {len(classes)} classes cannot be learned', logger='current', level=WARNING)


def _point(loader: ConfigDict, entries: dict, classes: tuple[str, ...], sizes: Counter[Size] | None = None) -> None:
    dataset = innermost(loader['dataset'])
    for key in _DATA_KEYS:
        dataset.pop(key, None)
    dataset.update(entries)
    # The loading transform checks the labels.
    set_num_classes(dataset['pipeline'], len(classes))
    if sizes and len(sizes) > 1 and dataset.get('test_mode'):
        loader['batch_size'] = 1
