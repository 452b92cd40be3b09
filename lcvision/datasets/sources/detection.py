"""Detection: folders in COCO layout."""
from pathlib import Path

from mmengine.config import Config

from lcvision.datasets.coco_folder import CocoSplit, check_coco, find_split
from lcvision.datasets.sources.config_edits import as_list, difference, innermost, set_num_classes
from lcvision.errors import UserError

LAYOUT = 'a folder in COCO layout'


def use_source(cfg: Config, root: Path, train: bool) -> CocoSplit:
    """Points a detection config at a folder in COCO layout, see :func:`lcvision.datasets.sources.use_source`.

    Raises:
        UserError: The folder is not in COCO layout or faulty, or its splits are one file or have different classes.
    """
    val = find_split(root, 'val')
    splits = dict(val=val, test=val)
    if train:
        splits['train'] = find_split(root, 'train', innermost(cfg.train_dataloader['dataset']).get('filter_cfg'))
        if splits['train'].ann_file == val.ann_file:
            raise UserError(f'{val.ann_file} would be both training and validation split: give each a json of its own, '
                            'e.g. annotations/instances_train2017.json and annotations/instances_val2017.json')
        if splits['train'].classes != val.classes:
            raise UserError(f'{splits["train"].ann_file} and {val.ann_file} have different categories '
                            f'({difference(splits["train"].classes, val.classes)}): both must list the same names in '
                            'the same order')
    for name, split in splits.items():
        _point(cfg, name, split)
    set_num_classes(cfg.model, len(val.classes))
    return splits['train' if train else 'val']


def check_source(cfg: Config, train: bool) -> int:
    """Checks the COCO data that a config names by itself, see :func:`lcvision.datasets.sources.check_source`."""
    counts, wanted = [], None
    for name in ('train', 'val') if train else ('test',):
        dataset = innermost(cfg[f'{name}_dataloader']['dataset'])
        root = Path(dataset.get('data_root') or '')
        ann_file, folder = root / dataset['ann_file'], root / dataset['data_prefix']['img']
        if not ann_file.is_file():
            raise UserError(f"no data set in {root.resolve() if str(root) != '.' else ann_file.parent}: "
                            f'{ann_file} is missing; put COCO 2017 there (annotations/, train2017/, val2017/), or name '
                            'any folder in COCO layout with --data DIR, or try --data sample')
        classes = tuple((dataset.get('metainfo') or {}).get('classes') or _coco_classes())
        split = check_coco(ann_file, folder, None, dataset.get('filter_cfg') if name == 'train' else None, classes)
        absent = [c for c in classes if c not in split.classes]
        if absent:
            raise UserError(f'{ann_file} lacks {len(absent)} of the {len(classes)} classes of the config, first '
                            f'{absent[0]!r}: to train with its own classes give its folder with --data DIR')
        # Labels follow the json, names the config.
        labels, wanted = tuple(c for c in split.classes if c in classes), wanted or classes
        if labels != wanted:
            raise UserError(f'{ann_file} lists the categories in another order than the config or its training split '
                            f'({difference(labels, wanted)}), so that labels would get the names of others: list them '
                            "in one order in metainfo.classes and in all the json files' 'categories'")
        counts.append(split.num_images)
    return counts[0]


def _coco_classes() -> tuple[str, ...]:
    from mmdet.datasets import CocoDataset
    return CocoDataset.METAINFO['classes']


def _point(cfg: Config, name: str, split: CocoSplit) -> None:
    from mmdet.datasets import CocoDataset
    metainfo: dict[str, tuple | None] = dict(classes=split.classes)
    if len(split.classes) > len(CocoDataset.METAINFO['palette']):
        # Without a palette mmdet draws random colours; with COCO's it would run out of them.
        metainfo['palette'] = None
    dataset = innermost(cfg[f'{name}_dataloader']['dataset'])
    dataset.update(data_root='', ann_file=str(split.ann_file), data_prefix=dict(img=str(split.image_folder)),
                   metainfo=metainfo)
    if name != 'train':
        for evaluator in as_list(cfg[f'{name}_evaluator']):
            evaluator['ann_file'] = str(split.ann_file)
