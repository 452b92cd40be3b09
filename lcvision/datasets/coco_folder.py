"""Finds the splits of a COCO-format folder and says what is wrong with one before anything runs."""
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lcvision.errors import UserError

_SHOWN = 3


@dataclass(frozen=True)
class CocoSplit:
    """One split of a COCO-format data set.

    Args:
        ann_file: Its json.
        image_folder: What ``file_name`` is relative to.
        classes: Category names in the json's order, which is the order of the labels.
        num_images: Images listed.
    """

    ann_file: Path
    image_folder: Path
    classes: tuple[str, ...]
    num_images: int


def find_split(root: Path, split: str) -> CocoSplit:
    """Finds and checks a split below ``root``.

    Args:
        root: Folder with ``annotations/``.
        split: 'train' or 'val'; any json with that in its name is found, ``instances_<split>2017.json`` first.

    Raises:
        UserError: Nothing is found, or :func:`check_coco` finds a fault.
    """
    folder = root / 'annotations' if (root / 'annotations').is_dir() else root
    found = sorted(folder.glob(f'*{split}*.json'), key=lambda p: (not p.name.startswith('instances_'), p.name))
    if not found:
        raise UserError(f'{root} is not in COCO layout: no *{split}*.json in {folder}; expected '
                        f'annotations/instances_{split}2017.json with the images in {split}2017/ beside annotations/')
    content = read_coco(found[0])
    return check_coco(found[0], _image_folder(root, split, content, found[0]), content)


def read_coco(ann_file: Path) -> dict:
    """Reads a json and makes sure that it is COCO's.

    Raises:
        UserError: The file is missing, is no json, or lacks one of COCO's three lists.
    """
    try:
        content = json.loads(ann_file.read_bytes())
    except FileNotFoundError:
        raise UserError(f'no annotation file {ann_file}: put the data set there, or name a folder in COCO layout with '
                        '--data DIR, or try --data sample') from None
    except ValueError as error:
        raise UserError(f'{ann_file} is not a json file ({error}): it may be torn; copy it again') from None
    lists = ('images', 'annotations', 'categories')
    missing = [name for name in lists if not isinstance(content, dict) or not isinstance(content.get(name), list)]
    if missing:
        raise UserError(f'{ann_file} is not in COCO format: it has no list {_listing(missing)}; COCO detection files '
                        f'have the lists {_listing(lists)} at the top')
    return content


def check_coco(ann_file: Path, image_folder: Path, content: dict | None = None) -> CocoSplit:
    """Checks a split: fields, category and image ids, duplicate ids and image files.

    Args:
        ann_file: Its json.
        image_folder: Folder of the images.
        content: What the json holds, if it was read already.

    Raises:
        UserError: The first fault found, with the offending ids or files.
    """
    content = content if content is not None else read_coco(ann_file)
    images, annotations, categories = content['images'], content['annotations'], content['categories']
    _require(ann_file, 'categories', categories, ('id', 'name'))
    _require(ann_file, 'images', images, ('id', 'file_name', 'height', 'width'))
    _require(ann_file, 'annotations', annotations, ('id', 'image_id', 'category_id', 'bbox', 'area'))
    for what, items, key in (('image', images, 'id'), ('annotation', annotations, 'id'), ('category', categories, 'id'),
                             ('category', categories, 'name')):
        values = [item[key] for item in items]
        if len(set(values)) < len(values):
            seen: set = set()
            twice = [v for v in values if v in seen or seen.add(v)]
            raise UserError(f'{ann_file}: {what} {key} {twice[0]!r} occurs more than once; each must be unique')
    if not images:
        raise UserError(f'{ann_file} lists no images: the split is empty')
    for key, name, items in (('category_id', 'categories', categories), ('image_id', 'images', images)):
        known = {item['id'] for item in items}
        unknown = sorted({a[key] for a in annotations} - known, key=str)
        if unknown:
            count = sum(a[key] in unknown for a in annotations)
            raise UserError(f'{ann_file}: {count} annotations have an unknown {key} ({_listing(unknown)}); known are '
                            f"{_listing(sorted(known, key=str))}: add the missing entries to '{name}' or remove the "
                            'annotations')
    bad = [a['id'] for a in annotations if not isinstance(a['bbox'], list) or len(a['bbox']) != 4]
    if bad:
        raise UserError(f'{ann_file}: annotation {bad[0]} has a bbox that is not [x, y, width, height]')
    _require_files(ann_file, image_folder, [image['file_name'] for image in images])
    return CocoSplit(ann_file, image_folder, tuple(c['name'] for c in categories), len(images))


def _require(ann_file: Path, name: str, items: list, keys: Sequence[str]) -> None:
    for index, item in enumerate(items):
        if not isinstance(item, dict) or any(key not in item for key in keys):
            lacking = [key for key in keys if not isinstance(item, dict) or key not in item]
            raise UserError(f"{ann_file}: entry {index} of '{name}' has no {_listing(lacking)}; each needs "
                            f'{_listing(keys)}')


def _require_files(ann_file: Path, folder: Path, names: list[str]) -> None:
    present: dict[str, set[str]] = {}
    missing = []
    for name in names:
        parent, _, base = name.rpartition('/')
        if parent not in present:
            where = folder / parent
            present[parent] = {path.name for path in where.iterdir()} if where.is_dir() else set()
        if base not in present[parent]:
            missing.append(name)
    if missing:
        raise UserError(f'{len(missing)} of {len(names)} images of {ann_file} are missing in {folder}: '
                        f'{_listing(missing)}; copy them there or remove their entries')


def _image_folder(root: Path, split: str, content: dict, ann_file: Path) -> Path:
    """The folder below ``root`` that holds the first image; the usual one when none does."""
    stem = ann_file.stem.removeprefix('instances_')
    names = list(dict.fromkeys([stem, f'{split}2017', split, f'images/{stem}', f'images/{split}2017',
                                f'images/{split}', 'images', '.']))
    first = next((image.get('file_name') for image in content['images'] if isinstance(image, dict)), None)
    for name in names:
        if first and (root / name / first).is_file():
            return root / name
    return next((root / name for name in names if (root / name).is_dir() and name != '.'), root / f'{split}2017')


def _listing(values: Sequence) -> str:
    shown = ', '.join(str(value) for value in values[:_SHOWN])
    return shown + (f', ... ({len(values)} in all)' if len(values) > _SHOWN else '')
