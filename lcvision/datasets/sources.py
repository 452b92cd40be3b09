"""What ``--data`` means: points a config at a folder or at the rendered sample, classes included."""
from pathlib import Path

from mmengine.config import Config, ConfigDict

from lcvision.datasets.coco_folder import CocoSplit, check_coco, find_split
from lcvision.errors import UserError

_SAMPLE_ROOT = Path('data/sample')


def use_source(cfg: Config, source: str, train: bool) -> CocoSplit:
    """Points a detection config at other data.

    Args:
        cfg: Changed in place: datasets, evaluators, class names and ``num_classes``.
        source: 'sample' for the rendered set, else a folder in COCO layout.
        train: Whether the training split is needed, too.

    Returns:
        The training split, or the other one without ``train``.

    Raises:
        UserError: The folder is missing, not in COCO layout or faulty, or its splits are one file or have different
            classes.
    """
    if source == 'sample':
        from lcvision.datasets.sample import ensure_detection_sample
        root = ensure_detection_sample(_SAMPLE_ROOT / 'detection')
    else:
        root = Path(source)
        if not root.is_dir():
            raise UserError(f"--data {source}: no such folder; give a folder in COCO layout or 'sample'")
    val = find_split(root, 'val')
    splits = dict(val=val, test=val)
    if train:
        splits['train'] = find_split(root, 'train')
        if splits['train'].ann_file == val.ann_file:
            raise UserError(f'{val.ann_file} would be both training and validation split: give each a json of its own, '
                            'e.g. annotations/instances_train2017.json and annotations/instances_val2017.json')
        if splits['train'].classes != val.classes:
            raise UserError(f'{splits["train"].ann_file} and {val.ann_file} have different categories '
                            f'({_difference(splits["train"].classes, val.classes)}): both must list the same names in '
                            'the same order')
    for name, split in splits.items():
        _point(cfg, name, split)
    _set_num_classes(cfg.model, len(val.classes))
    return splits['train' if train else 'val']


def check_source(cfg: Config, train: bool) -> int:
    """Checks the data that a config names by itself.

    Returns:
        Images of the training split, or of the test split without ``train``.

    Raises:
        UserError: It is missing or faulty; a missing one is told with the folder expected and the ways out.
    """
    counts = []
    for name in ('train', 'val') if train else ('test',):
        dataset = _innermost(cfg[f'{name}_dataloader']['dataset'])
        root = Path(dataset.get('data_root') or '')
        ann_file, folder = root / dataset['ann_file'], root / dataset['data_prefix']['img']
        if not ann_file.is_file():
            raise UserError(f"no data set in {root.resolve() if str(root) != '.' else ann_file.parent}: "
                            f'{ann_file} is missing; put COCO 2017 there (annotations/, train2017/, val2017/), or name '
                            'any folder in COCO layout with --data DIR, or try --data sample')
        split = check_coco(ann_file, folder)
        classes = (dataset.get('metainfo') or {}).get('classes') or _coco_classes()
        absent = [c for c in classes if c not in split.classes]
        if absent:
            raise UserError(f'{ann_file} lacks {len(absent)} of the {len(classes)} classes of the config, first '
                            f'{absent[0]!r}: to train with its own classes give its folder with --data DIR')
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
    dataset = _innermost(cfg[f'{name}_dataloader']['dataset'])
    dataset.update(data_root='', ann_file=str(split.ann_file), data_prefix=dict(img=str(split.image_folder)),
                   metainfo=metainfo)
    if name != 'train':
        for evaluator in _as_list(cfg[f'{name}_evaluator']):
            evaluator['ann_file'] = str(split.ann_file)


def _innermost(dataset: ConfigDict) -> ConfigDict:
    """The data set inside wrappers such as RepeatDataset."""
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def _as_list(value: ConfigDict | list) -> list:
    return list(value) if isinstance(value, list | tuple) else [value]


def _set_num_classes(model: ConfigDict | list, num_classes: int) -> None:
    for value in model.values() if isinstance(model, dict) else model:
        if isinstance(value, dict | list | tuple):
            _set_num_classes(value, num_classes)
    if isinstance(model, dict) and 'num_classes' in model:
        model['num_classes'] = num_classes


def _difference(a: tuple[str, ...], b: tuple[str, ...]) -> str:
    if len(a) != len(b):
        return f'{len(a)} against {len(b)}'
    index = next(i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1])
    return f'{a[index]!r} against {b[index]!r} at place {index}'
