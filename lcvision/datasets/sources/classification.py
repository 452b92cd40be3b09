"""Classification: trees of images, ``.npz`` files of encoded images, CIFAR in its authors' files."""
from pathlib import Path
from types import ModuleType

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log
from mmpretrain.datasets import ImageNet
from mmpretrain.registry import DATASETS

from lcvision.config import inner_dicts
from lcvision.datasets import cifar_folder, image_folder, npz_images
from lcvision.datasets.layout import Split
from lcvision.datasets.sources.config_edits import as_list, check_same_classes, innermost, set_num_classes
from lcvision.errors import UserError

LAYOUTS = (cifar_folder, image_folder, npz_images)


def use_source(cfg: Config, layout: ModuleType, root: Path, train: bool) -> Split:
    """Points a classification config at other data, see :func:`lcvision.datasets.sources.use_source`.

    Metrics and heads keep those of their top-k that the number of classes allows.
    """
    val = layout.find(root, 'val', None)
    splits = dict(val=val, test=val)
    if train:
        splits['train'] = layout.find(root, 'train', val)
        check_same_classes(splits['train'], val)
        if val.dataset.get('split', val.place.name) == 'test':
            print_log(f'{root} has no validation split: its test split chooses the best checkpoint, whose accuracy '
                      'there is then a little too high; to avoid that, hold out some of the training images as val',
                      logger='current')
    for name, split in splits.items():
        dataset = innermost(cfg[f'{name}_dataloader']['dataset'])
        pipeline = dataset['pipeline']
        dataset.clear()
        dataset.update(split.dataset, pipeline=pipeline)
    num_classes = len(val.classes)
    set_num_classes([cfg.model, cfg.get('data_preprocessor') or ConfigDict()], num_classes)
    for part in inner_dicts([cfg.model, *as_list(cfg.val_evaluator), *as_list(cfg.test_evaluator)]):
        if 'topk' in part:
            topk = part['topk'] if isinstance(part['topk'], list | tuple) else (part['topk'],)
            part['topk'] = tuple(k for k in topk if k <= num_classes) or (1,)
    return splits['train' if train else 'val']


def check_source(cfg: Config, train: bool) -> int:
    """Checks the data that a config itself names, see :func:`lcvision.datasets.sources.check_source`."""
    counts = []
    for name in ('train', 'val') if train else ('test',):
        classes, num_images = _check(innermost(cfg[f'{name}_dataloader']['dataset']))
        wanted = next((part['num_classes'] for part in inner_dicts(cfg.model) if part.get('num_classes')), None)
        if wanted and classes and wanted != len(classes):
            raise UserError(f"the model has num_classes={wanted}, but the config's {name} data has {len(classes)} "
                            'classes: give its folder or file with --data, which sets num_classes')
        counts.append(num_images)
    return counts[0]


def _check(dataset: ConfigDict) -> tuple[tuple[str, ...], int]:
    """Classes and number of images of a config's own split."""
    kind, root, split = dataset['type'].rpartition('.')[2], Path(dataset.get('data_root') or ''), dataset.get('split')
    if kind == 'NpzImageDataset':
        images = npz_images.open_npz(str(root / dataset['data_file']))
        return images.classes, len(images.labels(split or 'train'))
    if kind in cifar_folder.FOLDERS:
        found = cifar_folder.check_cifar(kind, root, split or 'train')
        return found.classes, found.num_images
    if kind in ('ImageNet', 'CustomDataset', 'ImageFolderDataset'):
        return _check_files(dataset, kind, root, split or '')
    built = DATASETS.build({**dataset, 'pipeline': []})
    return tuple(built.metainfo.get('classes') or ()), len(built)


def _check_files(dataset: ConfigDict, kind: str, root: Path, split: str) -> tuple[tuple[str, ...], int]:
    prefix = dataset.get('data_prefix') or split
    folder = root / (prefix if isinstance(prefix, str) else prefix['img_path'])
    if not folder.is_dir():
        raise UserError(f'no data set in {root.resolve()}: {folder} is missing; put the images there '
                        f'({folder}/CLASS/*.jpg), or name {", or ".join(layout.LAYOUT for layout in LAYOUTS)} with '
                        '--data, or try --data sample')
    classes = tuple((dataset.get('metainfo') or {}).get('classes') or dataset.get('classes') or ())
    if kind == 'ImageNet' and not classes:
        classes = tuple(ImageNet.METAINFO['classes'])
    listed = root / (dataset.get('ann_file') or f'meta/{split}.txt')
    if dataset.get('ann_file') or (kind == 'ImageNet' and split and listed.is_file()):
        return classes, image_folder.check_image_list(listed, folder, len(classes))
    found = image_folder.check_image_folder(folder)
    if classes and len(classes) != len(found.classes):
        raise UserError(f'{folder} has {len(found.classes)} folders of classes, but the config has {len(classes)} '
                        f'classes: to train with those of the folder give --data {root}')
    return classes or found.classes, found.num_images
