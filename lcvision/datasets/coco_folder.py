"""Folders in COCO layout, checked before anything runs."""
import gc
import json
import os
import re
import reprlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset
from mmengine.logging import print_log

from lcvision.datasets.layout import Split, first_of, first_twice, missing_files, part_of, refuse_outside
from lcvision.errors import UserError
from lcvision.registry import DATASETS
from lcvision.text import listing

LAYOUT = ('a folder in COCO layout (annotations/instances_{train,val}2017.json with images in {train,val}2017/, or one '
          'json, of which every fifth image is held out)')
# Whole numbers up to here are exact in every reader.
_LARGEST = 2 ** 53
_ID, _NUMBER, _TEXT, _LIST, _FLAG = (int, str), (int, float), (str,), (list,), (int,)
_KINDS = {_ID: 'a whole number or a text', _NUMBER: 'a number', _TEXT: 'a text', _LIST: 'a list', _FLAG: '0 or 1'}
# What the pipeline or COCO's evaluation reads of an entry.
_FIELDS: dict[str, dict[str, tuple]] = {
    'categories': dict(id=_ID, name=_TEXT),
    'images': dict(id=_ID, file_name=_TEXT, height=_NUMBER, width=_NUMBER),
    'annotations': dict(id=_ID, image_id=_ID, category_id=_ID, bbox=_LIST, area=_NUMBER, iscrowd=_FLAG),
}
# Nine tenths of COCO's file.
_POLYGONS = re.compile(rb'("segmentation"\s*:\s*)\[[^"{}]*\]')


class CocoIndex:
    """What mmdet asks of pycocotools' index, without polygons and in a third of the time and memory."""

    def __init__(self, ann_file: str) -> None:
        content = load_json(Path(ann_file))
        self.categories, self.annotations = content['categories'], content.get('annotations') or []
        self._images = {image['id']: image for image in content['images']}
        self._of_image: dict[Any, list[int]] = defaultdict(list)
        self.cat_img_map: dict[Any, list] = defaultdict(list)
        for number, annotation in enumerate(self.annotations):
            self._of_image[annotation['image_id']].append(number)
            self.cat_img_map[annotation['category_id']].append(annotation['image_id'])

    def get_cat_ids(self, cat_names: Sequence[str]) -> list:
        return [category['id'] for category in self.categories if category['name'] in cat_names]

    def get_img_ids(self) -> list:
        return list(self._images)

    def load_imgs(self, ids: Sequence) -> list[dict]:
        return [self._images[name] for name in ids]

    def get_ann_ids(self, img_ids: Sequence) -> list[int]:
        return self._of_image[img_ids[0]]

    def load_anns(self, ids: Sequence[int]) -> list[dict]:
        return [self.annotations[number] for number in ids]


@DATASETS.register_module()
class NonEmptyCocoDataset(CocoDataset):
    """COCO dataset of a part of the images, whose ``filter_empty_gt`` drops every image without a box to train on.

    mmdet's own filter asks whether an image has any annotation of the classes, so that it keeps images with nothing
    but crowds, or nothing but boxes it then discards as invalid. As in mmdet, nothing is filtered with
    ``test_mode=True`` or without ``filter_cfg``.

    Args:
        part: 'val' takes every fifth image by file name, 'train' the others, None all.
        kwargs: What mmdet's ``CocoDataset`` takes.

    Source: the reference reader, which loads no crowds and drops images that are left without boxes (117,266 images
        of train2017 remain).
    """

    def __init__(self, *args, part: str | None = None, **kwargs) -> None:
        self.part = part
        if not any(isinstance(step, dict) and step.get('with_mask') for step in kwargs.get('pipeline') or ()):
            self.COCOAPI = CocoIndex
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Data dicts of the part's images."""
        with _uncollected():
            data = super().load_data_list()
        return part_of(sorted(data, key=lambda info: info['img_path']), self.part) if self.part else data

    def filter_data(self) -> list[dict]:
        """Data dicts of the images that remain, in their order."""
        data = super().filter_data()
        if self.test_mode or not (self.filter_cfg or {}).get('filter_empty_gt', False):
            return data
        data = [info for info in data if any(not box['ignore_flag'] for box in info['instances'])]
        if not data:
            raise UserError(f'Nothing to train on in {self.ann_file}: none of its {len(self.data_list)} images has a '
                            f'box of the classes {", ".join(self.metainfo["classes"])} that is not a crowd and lies in '
                            'the image; check the annotations and the class names.')
        return data


def holds(root: Path) -> bool:
    """Any path: as the last layout to be tried, this one says what is missing."""
    return True


def find(root: Path, split: str, other: Split | None = None, filter_cfg: Mapping | None = None) -> Split:
    """Finds and checks a split, which must have another json than the ``other`` one, unless it is a part of both.

    ``filter_cfg`` is what the dataset drops, as mmdet's datasets take it.
    """
    ann_file, part = find_json(root, split)
    if part == 'val':
        print_log(f'{ann_file} has no splits: every fifth image is held out for validation', logger='current')
    if other and other.place == ann_file and not part:
        raise UserError(f'{ann_file} would be both training and validation split: give each a json of its own, e.g. '
                        'annotations/instances_train2017.json and annotations/instances_val2017.json')
    content = read_coco(ann_file)
    return check_coco(ann_file, find_images(root, split, content, ann_file), content, filter_cfg, part=part)


def find_json(root: Path, split: str) -> tuple[Path, str | None]:
    """Finds the json of a split, and the part of its images that the split is, None for all.

    Any json with the split in its name is found, ``instances_<split>2017.json`` first and one that names both splits
    last. A single json whose name has neither, or ``root`` if it is a file, serves both splits.
    """
    folder = root / 'annotations' if (root / 'annotations').is_dir() else root
    every = [root] if root.is_file() else sorted(path for path in folder.glob('*.json') if not path.is_fifo())
    if root.is_file() or (len(every) == 1 and not any(name in every[0].name for name in ('train', 'val'))):
        return every[0], split
    found = sorted((path for path in every if split in path.name), key=lambda path: _rank(path.name, split))
    if not found:
        raise UserError(f'{root} is not in COCO layout: no *{split}*.json in {folder}; expected '
                        f'annotations/instances_{split}2017.json with the images in {split}2017/ beside annotations/')
    return first_of(found, f'the annotations of the split {split!r}', f'instances_{split}2017.json comes first, then '
                    'names without the other split, then instances_*, then the alphabet'), None


def load_json(ann_file: Path) -> Any:
    """Reads a json file; polygons are left empty, and are not checked."""
    try:
        text = ann_file.read_bytes()
        encoding = json.detect_encoding(text)
        if encoding == 'utf-8':
            text = _POLYGONS.sub(rb'\1[]', text)
        with _uncollected():
            content = json.loads(text)
    except FileNotFoundError:
        raise UserError(f'no annotation file {ann_file}: put the data set there, or name a folder in COCO layout with '
                        '--data DIR, or try --data sample') from None
    except OSError as error:
        raise UserError(f'annotation file {ann_file} cannot be read ({error.strerror or error}): check its '
                        'permissions') from error
    except (ValueError, RecursionError) as error:
        raise UserError(f'{ann_file} is not a json file ({error}): it may be truncated; copy it again') from None
    if encoding != 'utf-8':
        # json.loads copes; mmdet's own dataset, which a config may have, does not.
        raise UserError(f'{ann_file} is written in {encoding}, not in plain UTF-8: save it again as UTF-8 without a '
                        'byte order mark')
    return content


@contextmanager
def _uncollected() -> Iterator[None]:
    """Millions of new objects that all stay: a search for garbage among them takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def read_coco(ann_file: Path) -> dict:
    """Reads a json and checks that it has COCO's three lists, with the fields needed in every entry."""
    content, lists = load_json(ann_file), ('images', 'annotations', 'categories')
    missing = [name for name in lists if not isinstance(content, dict) or not isinstance(content.get(name), list)]
    if missing:
        raise UserError(f'{ann_file} is not in COCO format: it has no list {listing(missing)}; COCO detection files '
                        f'have the lists {listing(lists)} at the top')
    for name, fields in _FIELDS.items():
        _require(ann_file, name, content[name], fields)
    refuse_outside((image['file_name'] for image in content['images']), ann_file)
    return content


def check_coco(ann_file: Path, image_folder: Path, content: dict | None = None, filter_cfg: Mapping | None = None,
               classes: Sequence[str] | None = None, part: str | None = None) -> Split:
    """Checks a split: duplicate and unknown ids, boxes and image files.

    Args:
        ann_file: Its json.
        image_folder: What its paths of images are relative to.
        content: What :func:`read_coco` returned, if it was called already.
        filter_cfg: What the dataset drops, as mmdet's datasets take it.
        classes: Names of the categories that are trained on; None for all. The split returned has all names.
        part: Of the images, as :class:`NonEmptyCocoDataset` takes it.
    """
    content = content if content is not None else read_coco(ann_file)
    images, annotations, categories = content['images'], content['annotations'], content['categories']
    for what, items in (('image', images), ('annotation', annotations), ('category', categories)):
        _require_ids(ann_file, what, items)
    for name, items in (('images', images), ('categories', categories)):
        if not items:
            raise UserError(f"{ann_file} is empty: its list '{name}' has no entries, but needs at least one")
    for key, name, items in (('category_id', 'categories', categories), ('image_id', 'images', images)):
        known = {item['id'] for item in items}
        unknown = sorted({a[key] for a in annotations} - known, key=str)
        if unknown:
            count = sum(a[key] not in known for a in annotations)
            raise UserError(f'{ann_file}: {count} annotations have an unknown {key} ({listing(unknown)}); known are '
                            f"{listing(sorted(known, key=str))}: add the missing entries to '{name}' or remove the "
                            'annotations')
    for annotation in annotations:
        box = annotation['bbox']
        if len(box) != 4 or not all(_fits(value, _NUMBER) for value in box):
            raise UserError(f'{ann_file}: annotation {annotation["id"]} has the bbox {reprlib.repr(box)}, which is not '
                            '[x, y, width, height] in pixels: correct or remove it')
    missing = missing_files(image_folder, [image['file_name'] for image in images])
    if missing:
        raise UserError(f'{len(missing)} of {len(images)} images of {ann_file} are missing in {image_folder}: '
                        f'{listing(missing)}; copy them there or remove their entries')
    images = part_of(sorted(images, key=lambda image: image['file_name']), part)
    remaining = _count_used({**content, 'images': images}, filter_cfg or {}, classes)
    if remaining < len(images):
        print_log(f'left out: {len(images) - remaining} of {len(images)} images of {ann_file}, too small or without a '
                  'box to train on', logger='current')
    # If none remains, the dataset itself says why.
    entries = dict(type='lcvision.NonEmptyCocoDataset', part=part) if part else {}
    dataset = dict(**entries, data_root='', ann_file=str(ann_file), data_prefix=dict(img=str(image_folder)))
    return Split(ann_file, tuple(c['name'] for c in categories), remaining or len(images), dataset)


def _count_used(content: dict, filter_cfg: Mapping, classes: Sequence[str] | None) -> int:
    """Counts the images that NonEmptyCocoDataset keeps, without building it."""
    images = {image['id']: image for image in content['images']
              if min(image['width'], image['height']) >= filter_cfg.get('min_size', 0)}
    if not filter_cfg.get('filter_empty_gt'):
        return len(images)
    wanted = {c['id'] for c in content['categories'] if classes is None or c['name'] in classes}
    return len({a['image_id'] for a in content['annotations'] if a['category_id'] in wanted and a['image_id'] in images
                and _is_used(a, images[a['image_id']])})


def _is_used(annotation: dict, image: dict) -> bool:
    x, y, width, height = annotation['bbox']
    inside = min(x + width, image['width']) > max(x, 0) and min(y + height, image['height']) > max(y, 0)
    return (inside and width >= 1 and height >= 1 and annotation['area'] > 0
            and not annotation['iscrowd'] and not annotation.get('ignore'))


def _require_ids(ann_file: Path, what: str, items: list[dict]) -> None:
    for key in ('id', 'name') if what == 'category' else ('id',):
        if (twice := first_twice(item[key] for item in items)) is not None:
            raise UserError(f'{ann_file}: {what} {key} {twice!r} occurs more than once; each must be unique')
    # Annotations are renumbered; COCO's evaluation sorts the others.
    if what != 'annotation' and len({isinstance(item['id'], str) for item in items}) > 1:
        raise UserError(f'{ann_file}: some of the {what} ids are numbers and some are texts; make them all numbers')


def _rank(name: str, split: str) -> tuple:
    other = 'val' if split == 'train' else 'train'
    return name != f'instances_{split}2017.json', other in name, not name.startswith('instances_'), name


def _fits(value: object, kinds: tuple) -> bool:
    """Whether a value is of one of these kinds, and as a number neither NaN nor beyond what every reader holds."""
    if not isinstance(value, kinds) or (kinds == _FLAG and value not in (0, 1)):
        return False
    return not isinstance(value, int | float) or abs(value) <= _LARGEST


def _all_fit(values: list, kinds: tuple) -> bool:
    """As :func:`_fits` for each of many values, in a fifth of the time; may say no to values that all fit."""
    if not set(map(type, values)) <= set(kinds) or (kinds == _FLAG and not set(values) <= {0, 1}):
        return False
    numbers = values if set(kinds) <= {int, float} else [value for value in values if type(value) is int]
    return all(-_LARGEST <= number <= _LARGEST for number in numbers)


def _require(ann_file: Path, name: str, items: list, fields: dict[str, tuple]) -> None:
    if all(isinstance(item, dict) for item in items) and all(
            _all_fit([item.get(key) for item in items], kinds) for key, kinds in fields.items()):
        return
    for index, item in enumerate(items):
        if isinstance(item, dict) and all(_fits(item.get(key), kinds) for key, kinds in fields.items()):
            continue
        lacking = [key for key in fields if not isinstance(item, dict) or key not in item]
        if lacking:
            raise UserError(f"{ann_file}: entry {index} of '{name}' has no {', '.join(lacking)}; each needs "
                            f'{", ".join(fields)}')
        key = next(key for key, kinds in fields.items() if not _fits(item[key], kinds))
        raise UserError(f"{ann_file}: entry {index} of '{name}' has {key} {reprlib.repr(item[key])}; it must be "
                        f'{_KINDS[fields[key]]}')


def find_images(root: Path, split: str, content: dict, ann_file: Path) -> Path:
    """The folder below ``root`` that holds the first image; the usual one when none does."""
    if root.is_file():
        root = root.parent.parent if root.parent.name == 'annotations' else root.parent
    stem = ann_file.stem.removeprefix('instances_')
    names = list(dict.fromkeys([stem, f'{split}2017', split, f'images/{stem}', f'images/{split}2017',
                                f'images/{split}', 'images', '.']))
    first = content['images'][0]['file_name'] if content['images'] else ''
    # Path.is_file would raise at a name that no file can have.
    found = [root / name for name in names if os.path.isfile(root / name / first)]  # noqa: PTH113
    if found:
        return first_of(found, f'the images of {ann_file.name}', f'each holds {first}, and the likeliest name counts')
    return next((root / name for name in names if (root / name).is_dir() and name != '.'), root / f'{split}2017')
