"""Detection: folders in COCO layout."""
from pathlib import Path
from types import ModuleType

from mmdet.datasets import CocoDataset
from mmengine.config import Config

from lcvision.datasets import coco_folder
from lcvision.datasets.layout import Split
from lcvision.datasets.sources.config_edits import as_list, check_same_classes, difference, innermost, set_num_classes
from lcvision.errors import UserError

LAYOUTS = (coco_folder,)


def use_source(cfg: Config, layout: ModuleType, root: Path, train: bool) -> Split:
    """Points a detection config at other data, see :func:`lcvision.datasets.sources.use_source`.

    A layout's ``find`` takes the training set's ``filter_cfg`` as a fourth argument.
    """
    val = layout.find(root, 'val', None)
    splits = dict(val=val, test=val)
    if train:
        filter_cfg = innermost(cfg.train_dataloader['dataset']).get('filter_cfg')
        splits['train'] = layout.find(root, 'train', val, filter_cfg)
        check_same_classes(splits['train'], val)
    metainfo: dict[str, tuple | None] = dict(classes=val.classes)
    if len(val.classes) > len(CocoDataset.METAINFO['palette']):
        # Without a palette mmdet draws random colours; with COCO's it would run out of them.
        metainfo['palette'] = None
    for name, split in splits.items():
        innermost(cfg[f'{name}_dataloader']['dataset']).update(split.dataset, metainfo=metainfo)
        for evaluator in as_list(cfg[f'{name}_evaluator']) if name != 'train' else ():
            evaluator['ann_file'] = split.dataset['ann_file']
            if split.dataset.get('part'):
                evaluator.update(type='lcvision.CocoBoxMetric', part=True)
    set_num_classes(cfg.model, len(val.classes))
    return splits['train' if train else 'val']


def check_source(cfg: Config, train: bool) -> int:
    """Checks the COCO data that a config itself names, see :func:`lcvision.datasets.sources.check_source`."""
    counts, wanted = [], None
    for name in ('train', 'val') if train else ('test',):
        dataset = innermost(cfg[f'{name}_dataloader']['dataset'])
        root = Path(dataset.get('data_root') or '')
        ann_file, folder = root / dataset['ann_file'], root / dataset['data_prefix']['img']
        if not ann_file.is_file():
            raise UserError(f"no data set in {root.resolve() if str(root) != '.' else ann_file.parent}: "
                            f'{ann_file} is missing; put COCO 2017 there (annotations/, train2017/, val2017/), or name '
                            'any folder in COCO layout with --data DIR, or try --data sample')
        classes = tuple((dataset.get('metainfo') or {}).get('classes') or CocoDataset.METAINFO['classes'])
        filter_cfg = dataset.get('filter_cfg') if name == 'train' else None
        split = coco_folder.check_coco(ann_file, folder, None, filter_cfg, classes)
        absent = [c for c in classes if c not in split.classes]
        if absent:
            raise UserError(f'{ann_file} lacks {len(absent)} of the {len(classes)} classes of the config, first '
                            f'{absent[0]!r}: to train with its own classes give its folder with --data DIR')
        # Labels follow the json, names the config.
        labels, wanted = tuple(c for c in split.classes if c in classes), wanted or classes
        if labels != wanted:
            raise UserError(f'{ann_file} lists the categories in another order than the config or its training split '
                            f'({difference(labels, wanted)}), so that labels would get wrong names: list them in one '
                            "order in metainfo.classes and in all the json files' 'categories'")
        counts.append(split.num_images)
    return counts[0]
