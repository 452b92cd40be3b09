"""Reads data in whatever layout they are, leniently: what is wrong is for ``faults`` to say."""
import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import yaml

from lcvision.datasets.layout import file_names, is_data, part_of, refuse_outside
from lcvision.datasets.mask_coding import MaskCoding
from lcvision.errors import UserError
from lcvision.frameworks import require
from lcvision.image_file import EXTENSIONS
from lcvision.progress import progress
from lcvision.tasks import TASKS

_BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, ElementTree.ParseError)
_SPLITS = ('train', 'val', 'test')
_SPLIT = re.compile(r'(train|val|test)(ing|id|idation)?[-_]?(\d+|set|images|data)?')
_NAME = re.compile(rf'[^/\\=?]+(?:{"|".join(map(re.escape, EXTENSIONS))})', re.IGNORECASE)
# Split, file, width and height as annotated, objects, mask.
_Image = tuple[str, str | Path, tuple[float, float], Any, str]


class Seen(NamedTuple):
    """What was seen of an image: (width, height), what equal files share, faults, and the labels of its mask."""

    size: tuple[int, int] = (0, 0)
    key: tuple[int, bytes] = (0, b'')
    fault: str = ''
    mask_fault: str = ''
    labels: Sequence[int] = ()


@dataclass
class Part:
    """One split, with the sizes that are annotated, and what cannot be read.

    ``rows``, float64 of shape (M, 8), are image, class, x, y, width, height, crowd or not, and area (NaN: unknown) of
    objects, in pixels once :func:`look_at` has ``seen`` the images.
    """

    name: str
    classes: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    sizes: list[tuple[float, float]] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    rows: np.ndarray = field(default_factory=lambda: np.zeros((0, 8)))
    wrong: list[str] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Objects of each class; of segmentation the masks that have it."""
        found = Counter(self.rows[:, 1].astype(int).tolist())
        return {name: found[label] for label, name in enumerate(self.classes)}


@dataclass
class Found:
    """A data set.

    Attributes:
        task, layout: Name of its task; what it is, for people.
        native: Whether ``--data`` takes it as it is.
        parts: Its splits; where it has none, every fifth image by name is held out as in training.
        relative: Whether boxes are shares of the image instead of pixels.
        codings: Of segmentation, what the values of each split's masks mean.
    """

    task: str
    layout: str
    native: bool = True
    parts: list[Part] = field(default_factory=list)
    relative: bool = False
    codings: dict[str, MaskCoding] = field(default_factory=dict)

    def filled(self, images: Iterable[_Image], read: Callable[[Any], Sequence], classes: Iterable[str] = ()) -> 'Found':
        """Takes the images; ``read`` makes class, x, y, width, height, crowd and area, or less, of an object."""
        names = {name: label for label, name in enumerate(dict.fromkeys(classes))}
        found = sorted(progress(images, f'reading {self.layout}'), key=lambda image: str(image[1]))
        if {image[0] for image in found} in ({'all'}, {'train'}):
            self.layout += ' without validation: every fifth image by name is held out'
            found = [(split, *image[1:]) for split in _SPLITS[:2] for image in part_of(found, split)]
        parts = {split: Part(split) for split in (*_SPLITS, 'all')}
        rows: dict[str, list] = {split: [] for split in parts}
        for split, path, size, objects, mask in found:
            part = parts[split]
            for item in objects:
                try:
                    name, *values = read(item)
                    if not math.isfinite(sum(values[:4])):
                        raise ValueError
                    values = [*values, *(0, 0, 0, 0, False, math.nan)[len(values):]]
                    rows[split].append((len(part.images), names.setdefault(str(name), len(names)), *values))
                except _BROKEN:
                    said = str(item)[:80] if isinstance(item, str | dict) else 'object'
                    part.wrong.append(f'{Path(path).name} {said}')
            part.images.append(str(path))
            part.sizes.append(size)
            part.masks.extend([mask] * bool(mask))
        self.parts = [part for part in parts.values() if part.images]
        for part in self.parts:
            part.classes, part.rows = list(names), np.array(rows[part.name], np.float64).reshape(-1, 8)
        return self


def read_folder(root: Path) -> Found:
    """Reads a folder, or a json or .npz file."""
    if not os.path.exists(root):  # noqa: PTH110  (a method of Path would raise at a name that no file can have)
        raise UserError(f'there is no {root}: give a folder of images with their annotations')
    try:
        for reader in (_yolo, _voc, _json, _masks, _classes):
            if (found := reader(root)) and found.parts:
                return found
    except OSError as error:
        raise UserError(f'{error.filename or root} cannot be read ({error.strerror}): check its permissions') from error
    raise UserError(f'{root} is no data set: give a folder in COCO or Cityscapes layout, with images/ and masks/, or '
                    'with a folder of images for each class, an .npz file, or an export of Label Studio, Roboflow, '
                    'YOLO or Pascal VOC')


def _sources(task: str) -> ModuleType:
    require(TASKS[task].scope, f'checking data for {task}')
    return import_module(f'lcvision.datasets.sources.{task}')


def _split_of(place: Path) -> str:
    return next((found[1] for piece in place.parts if (found := _SPLIT.fullmatch(piece.lower()))), 'all')


def _folders(root: Path, suffix: str) -> Iterator[Path]:
    """Folders down to the second level that hold such files."""
    for folder in (root, *sorted(root.glob('*/')), *sorted(root.glob('*/*/'))):
        if folder.is_dir() and any(path.suffix == suffix for path in folder.iterdir()):
            yield folder


def _json(root: Path) -> Found | None:
    """COCO as ``--data`` takes it, or Roboflow's, with a json in the folder of each split; Label Studio's tasks."""
    names = ('*.json', 'annotations/*.json', '*/_annotations.coco.json')
    if root.suffix != '.json' and not any(path for name in names for path in root.glob(name)):
        return None
    require(TASKS['detection'].scope, 'checking boxes')
    from lcvision.datasets.coco_folder import find_images, find_json, load_json
    exports = {_split_of(Path(path.parent.name)): path for path in sorted(root.glob('*/_annotations.coco.json'))}
    places = dict(exports)
    for split in _SPLITS[:2] if not exports else ():
        with suppress(UserError):
            path, part = find_json(root, split)
            places['all' if part else split] = path
    contents = {split: load_json(path) for split, path in places.items()}
    if isinstance(contents.get('all'), list):
        return _label_studio(places['all'], contents['all'])
    contents = {split: {name: [item for item in _listed(content.get(name)) if isinstance(item, dict)] for name in
                        ('images', 'annotations', 'categories')} for split, content in contents.items()
                if isinstance(content, dict) and isinstance(content.get('images'), list)}
    for split, content in contents.items():
        given = (item.get('file_name') for item in content['images'])
        refuse_outside((name for name in given if isinstance(name, str)), places[split])
    if exports:
        return _coco('a Roboflow export in COCO format', contents, lambda split, _: exports[split].parent, False)
    return _coco('COCO layout', contents,
                 lambda split, files: find_images(root, split, {'images': files}, places[split]))


def _listed(value: object) -> list:
    return value if isinstance(value, list) else []


def _coco(layout: str, contents: dict[str, dict[str, list[dict]]], folder_of: Callable[[str, list[dict]], Path],
          native: bool = True) -> Found:
    # Roboflow's first category is the group of the others and has no objects.
    used = {_id(item, 'category_id') for content in contents.values() for item in content['annotations']}
    kinds = {_id(item): str(item.get('name')) for content in contents.values() for item in content['categories']
             if native or _id(item) in used or item.get('supercategory') != 'none'}

    def images() -> Iterator[_Image]:
        for split, content in contents.items():
            files = {_id(item): item for item in content['images'] if isinstance(item.get('file_name'), str)}
            objects, first = defaultdict(list), next(iter(files), None)
            for item in content['annotations']:
                known = (key := _id(item, 'image_id')) in files
                objects[key if known else first].append(item if known else {'annotation of unknown image': key})
            folder = folder_of(split, list(files.values()))
            for key, item in files.items():
                width, height = (value if isinstance(value := item.get(side), int | float) else 0
                                 for side in ('width', 'height'))
                yield split, folder / item['file_name'], (width, height), objects[key], ''

    def read(item: dict) -> tuple:
        x, y, width, height = map(float, item['bbox'])
        return kinds[item['category_id']], x, y, width, height, bool(item.get('iscrowd')), float(
            item.get('area') or math.nan)
    return Found('detection', layout, native).filled(images(), read, kinds.values())


def _id(item: dict, key: str = 'id') -> int | str | None:
    return value if isinstance(value := item.get(key), int | str) else None


def _label_studio(path: Path, tasks: list) -> Found:
    there = {Path(name).name: path.parent / name for name in file_names(path.parent)}

    def titles(value: dict) -> list:
        return next((value[key] for key in value if key.endswith('labels')), [])

    def images() -> Iterator[_Image]:
        for task in tasks:
            data = task.get('data') or task
            name = [found for value in data.values() for found in _NAME.findall(unquote(str(value)))][0]
            done = [one['result'] for one in task.get('annotations') or () if not one.get('was_cancelled')]
            shapes = done[-1] if done else [one for value in data.values() if isinstance(value, list) for one in value]
            # An upload has a prefix that the user's own file may lack.
            image = there.get(name) or there.get(name.partition('-')[2]) or path.parent / name
            yield 'all', image, (0, 0), [value for one in shapes if titles(value := one.get('value', one))], ''

    def read(value: dict) -> tuple:
        points = value.get('points') or [(value['x'], value['y']),
                                         (value['x'] + value['width'], value['y'] + value['height'])]
        return titles(value)[0], *_around([v / 100 for point in points for v in point])
    try:
        return Found('detection', 'a Label Studio export', False, relative=True).filled(images(), read)
    except _BROKEN as error:
        raise UserError(f'{path} is a list, but not of tasks as Label Studio exports them ({error!r}): give a json in '
                        "COCO layout, or Label Studio's export as JSON") from None


def _yolo(root: Path) -> Found | None:
    """Text files with a line of class and four numbers, or a polygon, for each object."""
    names: list = []
    for path in (*root.glob('*.y*ml'), *root.glob('classes.txt'), *root.glob('obj.names')):
        with suppress(yaml.YAMLError, OSError, *_BROKEN):
            listed = yaml.safe_load(path.read_text())['names'] if 'y' in path.suffix else path.read_text().split('\n')
            # A few aliases of YAML can nest more than memory holds.
            names = names or [str(name).strip() if isinstance(name, str | int) else '' for name in (
                listed.values() if isinstance(listed, dict) else listed)]

    def images() -> Iterator[_Image]:
        for folder in _folders(root, '.txt'):
            place = folder.relative_to(root)
            pictures = root.joinpath(*('images' if piece == 'labels' else piece for piece in place.parts))
            stems = {path.stem: path for path in pictures.glob('*') if path.suffix.lower() in EXTENSIONS}
            texts = {path.stem: path for path in folder.glob('*.txt')}
            for stem in {*stems, *(texts if pictures != folder else ())} if stems.keys() & texts.keys() else ():
                lines = texts[stem].read_text(errors='replace').splitlines() if stem in texts else ()
                yield _split_of(place), stems.get(stem, pictures / f'{stem}.jpg'), (0, 0), filter(str.strip, lines), ''

    def read(line: str) -> tuple:
        label, *values = map(float, line.split())
        if label not in range(10_000):
            raise ValueError
        name = names[int(label)] if label < len(names) else f'class {label:g}'
        if len(values) == 4:
            return name, values[0] - values[2] / 2, values[1] - values[3] / 2, *values[2:]
        return name, *_around(values)
    return Found('detection', 'YOLO text files', False, relative=True).filled(images(), read, filter(None, names))


def _voc(root: Path) -> Found | None:
    """An xml file for each image."""
    lists = {split: {*path.read_text(errors='replace').split()} for split in _SPLITS
             for path in root.glob(f'ImageSets/Main/{split}.txt')}

    def images() -> Iterator[_Image]:
        for folder in _folders(root, '.xml'):
            for path in folder.glob('*.xml'):
                split = next((name for name, stems in lists.items() if path.stem in stems), None)
                name, size = f'{path.stem}.jpg', (0., 0.)
                objects: list = [path.name]
                with suppress(*_BROKEN):
                    tree = ElementTree.parse(path).getroot()
                    name, objects = tree.findtext('filename') or name, tree.findall('object')
                    size = float(tree.findtext('size/width') or 0), float(tree.findtext('size/height') or 0)
                places = (folder.with_name('JPEGImages'), folder.with_name('images'), folder)
                refuse_outside([name], path)
                image = next((place / name for place in places if is_data(place / name)), folder / name)
                yield split or _split_of(folder.relative_to(root)), image, size, objects, ''

    def read(item: ElementTree.Element) -> tuple:
        left, top, right, bottom = (float(item.findtext(f'bndbox/{key}') or '')
                                    for key in ('xmin', 'ymin', 'xmax', 'ymax'))
        # The first pixel is 1, and the last one belongs to the box.
        return item.findtext('name'), left - 1, top - 1, right - left + 1, bottom - top + 1
    return Found('detection', 'Pascal VOC xml files', False).filled(images(), read)


def _around(values: list[float]) -> tuple[float, float, float, float]:
    """x, y, width and height of the box around points."""
    left, top = min(values[::2]), min(values[1::2])
    return left, top, max(values[::2]) - left, max(values[1::2]) - top


def _masks(root: Path) -> Found | None:
    """Cityscapes and folders of images and masks, as ``--data`` takes them."""
    names = ('leftImg8bit', 'gtFine', 'masks', 'ann_dir', '*/masks', '*/ann_dir')
    if not any(path.is_dir() for name in names for path in root.glob(name)):
        return None
    sources = _sources('segmentation')
    layout = next((layout for layout in sources.LAYOUTS if layout.holds(root)), None)
    if not layout:
        return None
    found, images, classes, other = Found('segmentation', layout.LAYOUT), [], (), None
    for split in ('val', 'train'):
        with suppress(UserError) if other else nullcontext():
            other = layout.find(root, split, other)
            dataset, pairs, found.codings[split] = sources.open_masks(other)
            classes = dataset.metainfo['classes']
            images += [(split, image, (0, 0), (), str(mask)) for image, mask in pairs]
    return found.filled(images, tuple, classes)


def _classes(root: Path) -> Found | None:
    """Trees of images, .npz files and CIFAR, as ``--data`` takes them."""
    sources = _sources('classification')
    layout = next((layout for layout in sources.LAYOUTS if layout.holds(root)), None)
    if not layout:
        return None
    if layout.__name__.endswith('cifar_folder'):
        raise UserError(f"{root} has CIFAR's own files, of which training checks the MD5: there is no more to check")
    images: list[_Image] = []
    if layout.__name__.endswith('npz_images'):
        content = layout.open_npz(str(root if root.is_file() else layout.find(root, 'train').place))
        images = [('val' if split == 'test' and 'val' not in content.splits else split, content.address(split, index),
                   (0, 0), [(content.classes[label],)], '')
                  for split in content.splits for index, label in enumerate(content.labels(split))]
        return Found('classification', layout.LAYOUT).filled(images, tuple, content.classes)
    places = {path: _split_of(Path(path.name)) for path in sorted(root.glob('[!.]*')) if path.is_dir()}
    native = {*places.values()} != {'all'}
    for place, split in places.items():
        if native and split == 'all':
            continue
        # Without splits only what lies right there: root may be a whole disk.
        files = file_names(place) if native else [f'/{path.name}' for path in place.iterdir()]
        images += [(split, place / name.lstrip('/'), (0, 0), [(name.partition('/')[0] or place.name,)], '')
                   for name in files if '/' in name and name.lower().endswith(EXTENSIONS)]
    names = sorted({image[3][0][0] for image in images})
    return Found('classification', layout.LAYOUT, native).filled(images, tuple, names) if len(names) > 1 else None
