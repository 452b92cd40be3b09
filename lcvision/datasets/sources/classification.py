"""Classification: trees of images, ``.npz`` files of encoded images, CIFAR as its authors give it."""
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from lcvision.config import inner_dicts
from lcvision.datasets.cifar_folder import CIFAR_FOLDERS, check_cifar, find_cifar
from lcvision.datasets.image_folder import EXTENSIONS, check_image_folder, find_image_folder, has_splits
from lcvision.datasets.npz_images import open_npz
from lcvision.datasets.several import first_of
from lcvision.datasets.sources.config_edits import as_list, difference, innermost, set_num_classes
from lcvision.datasets.sources.image_list import check_image_list
from lcvision.errors import UserError
from lcvision.text import listing

LAYOUT = ('a tree of images (train/CLASS/*.jpg and val/CLASS/*.jpg), an .npz file of encoded images, or a folder '
          f'with {" or ".join(CIFAR_FOLDERS.values())}')


@dataclass(frozen=True)
class ClassificationSplit:
    """One split of a classification data set.

    Attributes:
        place: Folder or file, for messages.
        classes: Class names in the order of the labels.
        num_images: Images.
        dataset: What a config says of it, short of the pipeline.
    """

    place: str
    classes: tuple[str, ...]
    num_images: int
    dataset: dict


def use_source(cfg: Config, root: Path, train: bool) -> ClassificationSplit:
    """Points a classification config at other data, see :func:`lcvision.datasets.sources.use_source`.

    Metrics and heads keep of their top-k those that the number of classes allows.

    Raises:
        UserError: The source has none of the layouts, is faulty, or its splits have different classes.
    """
    val = _find(root, 'val')
    splits = dict(val=val, test=val)
    if train:
        splits['train'] = _find(root, 'train')
        if splits['train'].classes != val.classes:
            raise UserError(f'{splits["train"].place} and {val.place} have different classes '
                            f'({difference(splits["train"].classes, val.classes)}): both must have the same folders')
        if val.dataset.get('split', Path(val.place).name) == 'test':
            print_log(f'{root} has no validation split: its test split chooses the best checkpoint, whose accuracy '
                      'there is then a little too high; to avoid that, hold out some of the training images as val',
                      logger='current')
    for name, split in splits.items():
        dataset = innermost(cfg[f'{name}_dataloader']['dataset'])
        pipeline = dataset['pipeline']
        dataset.clear()
        dataset.update(split.dataset, pipeline=pipeline)
    num_classes = len(val.classes)
    for part in (cfg.model, cfg.get('data_preprocessor') or ConfigDict()):
        set_num_classes(part, num_classes)
    for part in inner_dicts([cfg.model, *as_list(cfg.val_evaluator), *as_list(cfg.test_evaluator)]):
        if 'topk' in part:
            topk = part['topk'] if isinstance(part['topk'], list | tuple) else (part['topk'],)
            part['topk'] = tuple(k for k in topk if k <= num_classes) or (1,)
    return splits['train' if train else 'val']


def check_source(cfg: Config, train: bool) -> int:
    """Checks the data that a config names by itself, see :func:`lcvision.datasets.sources.check_source`."""
    counts = []
    for name in ('train', 'val') if train else ('test',):
        dataset = innermost(cfg[f'{name}_dataloader']['dataset'])
        classes, num_images = _check(dataset)
        wanted = next((part['num_classes'] for part in inner_dicts(cfg.model) if part.get('num_classes')), None)
        if wanted and classes and wanted != len(classes):
            raise UserError(f"the model has num_classes={wanted}, but the config's {name} data has {len(classes)} "
                            'classes: give its folder or file with --data, which sets num_classes')
        counts.append(num_images)
    return counts[0]


def _find(root: Path, split: str) -> ClassificationSplit:
    files = [root] if root.is_file() else sorted(root.glob('*.npz'))
    if root.is_file() and root.suffix != '.npz':
        raise UserError(f'{root} is no data set: give {LAYOUT}')
    if cifar := find_cifar(root):
        num_images, classes = check_cifar(cifar, root, 'train' if split == 'train' else 'test')
        dataset = dict(type=f'mmpretrain.{cifar}', data_root=str(root), download=False,
                       split='train' if split == 'train' else 'test')
        return ClassificationSplit(str(root), classes, num_images, dataset)
    if not files or has_splits(root):
        found = find_image_folder(root, split)
        first_of([found.folder, *files], f'the split {split!r}', 'folders come before .npz files')
        dataset = dict(type='mmpretrain.CustomDataset', data_prefix=str(found.folder),
                       metainfo=dict(classes=found.classes), extensions=EXTENSIONS)
        return ClassificationSplit(str(found.folder), found.classes, found.num_images, dataset)
    if len(files) > 1:
        raise UserError(f'{root} has several .npz files ({listing([path.name for path in files])}): name one of '
                        'them')
    return _npz(str(files[0]), split)


def _npz(path: str, split: str) -> ClassificationSplit:
    images = open_npz(path)
    if split == 'val' and not images.has('val'):
        split = 'test'
    dataset = dict(type='lcvision.NpzImageDataset', data_file=path, split=split)
    return ClassificationSplit(path, images.classes, len(images.labels(split)), dataset)


def _check(dataset: ConfigDict) -> tuple[tuple[str, ...], int]:
    """Classes and number of images of a config's own split."""
    kind = dataset['type'].rpartition('.')[2]
    if kind == 'NpzImageDataset':
        images = open_npz(str(Path(dataset.get('data_root') or '') / dataset['data_file']))
        return images.classes, len(images.labels(dataset.get('split', 'train')))
    if kind in CIFAR_FOLDERS:
        num_images, classes = check_cifar(kind, Path(dataset['data_root']), dataset.get('split', 'train'))
        return classes, num_images
    if kind in ('ImageNet', 'CustomDataset'):
        return _check_files(dataset, kind)
    from mmpretrain.registry import DATASETS
    built = DATASETS.build({**dataset, 'pipeline': []})
    return tuple(built.metainfo.get('classes') or ()), len(built)


def _check_files(dataset: ConfigDict, kind: str) -> tuple[tuple[str, ...], int]:
    root, split = Path(dataset.get('data_root') or ''), dataset.get('split') or ''
    prefix = dataset.get('data_prefix') or split
    folder = root / (prefix if isinstance(prefix, str) else prefix['img_path'])
    if not folder.is_dir():
        raise UserError(f'no data set in {root.resolve()}: {folder} is missing; put the images there '
                        f'({folder}/CLASS/*.jpg), or name {LAYOUT} with --data, or try --data sample')
    classes = tuple((dataset.get('metainfo') or {}).get('classes') or dataset.get('classes') or ())
    if kind == 'ImageNet' and not classes:
        from mmpretrain.datasets import ImageNet
        classes = tuple(ImageNet.METAINFO['classes'])
    listed = root / (dataset.get('ann_file') or f'meta/{split}.txt')
    if dataset.get('ann_file') or (kind == 'ImageNet' and split and listed.is_file()):
        return classes, check_image_list(listed, folder, len(classes))
    found = check_image_folder(folder)
    if classes and len(classes) != len(found.classes):
        raise UserError(f'{folder} has {len(found.classes)} folders of classes, but the config has {len(classes)} '
                        f'classes: to train with those of the folder give --data {root}')
    return classes or found.classes, found.num_images
