"""A repaired copy in the layout that training takes."""
import json
import math
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from mmengine import fileio
from PIL import Image

from lcvision.datasets.check.faults import box_faults, equal_images
from lcvision.datasets.check.layouts import Found, Part
from lcvision.errors import UserError
from lcvision.progress import progress


def write_copy(found: Found, root: Path, out: Path) -> None:
    """Writes what can be used of the data of ``root`` to a new folder, which appears when it is complete.

    Detection becomes COCO layout, with boxes alone, segmentation images and masks of indices, classification a tree. Of
    equal images in several splits the last of train, val and test has one.
    """
    if (out.exists() and not (out.is_dir() and not any(out.iterdir()))) or out.resolve().is_relative_to(root.resolve()):
        raise UserError(f'--fix {out}: give a new or empty folder outside {root}')
    whole = out.with_name(f'.{out.name}.partial')
    try:
        equal = equal_images(found)
        for number, part in enumerate(found.parts):
            drop = {index for group in equal for other, index in group if other == number < max(group)[0]}
            kept = [index for index, seen in enumerate(part.seen)
                    if index not in drop and not seen.fault and not seen.mask_fault]
            names = _copy_images(found, part, kept, whole)
            if found.task == 'detection':
                (whole / 'annotations').mkdir(exist_ok=True)
                (whole / f'annotations/instances_{part.name}.json').write_text(json.dumps(_coco(part, names)))
            elif found.task == 'segmentation':
                values = *enumerate(part.classes), (255, 'ignore')
                (whole / 'classes.txt').write_text(''.join(f'{name} {i} {i} {i}\n' for i, name in values))
        whole.replace(out)
    except OSError as error:
        raise UserError(f'--fix {out} cannot be written ({error.strerror or error}): check the disk and the '
                        'permissions') from error
    finally:
        shutil.rmtree(whole, ignore_errors=True)


def _copy_images(found: Found, part: Part, kept: Sequence[int], out: Path) -> dict[str, int]:
    """Returns the new names, and the index of each."""
    folder = out / (f'images/{part.name}' if part.masks else part.name)
    folder.mkdir(parents=True)
    labels = {row[0]: part.classes[int(row[1])] for row in part.rows} if found.task == 'classification' else {}
    names: dict[str, int] = {}
    stems: set[str] = set()
    for index in progress(kept, f'copying the images of {part.name}'):
        old = Path(part.images[index])
        stem = free = f'{_folder_of(labels[index])}/{old.stem}' if labels else old.stem
        while free in stems:
            free = f'{stem}_{len(stems)}'
        stems.add(free)
        name = free + old.suffix
        names[name] = index
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(fileio.get(part.images[index]))
        if part.masks:
            mask = (out / 'masks' / part.name / name).with_suffix('.png')
            mask.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(found.codings[part.name].read(part.masks[index])).save(mask)
    return names


def _folder_of(label: str) -> str:
    name = re.sub('[/\0]', '_', label)
    return name if name.strip('.') else f'_{name}'


def _coco(part: Part, names: dict[str, int]) -> dict:
    empty, twice, _ = box_faults(part).values()
    ids = {index: number for number, index in enumerate(names.values(), 1)}
    annotations: list[dict] = []
    for index, label, x, y, width, height, crowd, area in part.rows[~empty & ~twice].tolist():
        if index in ids:
            limit = part.seen[int(index)].size
            left, top, right, bottom = max(x, 0.), max(y, 0.), min(x + width, limit[0]), min(y + height, limit[1])
            box = [left, top, right - left, bottom - top]
            if math.isnan(area) or box != [x, y, width, height]:
                area = box[2] * box[3]
            annotations.append({'id': len(annotations) + 1, 'image_id': ids[index], 'category_id': int(label) + 1,
                                'bbox': box, 'area': area, 'iscrowd': int(crowd)})
    return {'annotations': annotations,
            'images': [{'id': ids[index], 'file_name': name, 'width': part.seen[index].size[0],
                        'height': part.seen[index].size[1]} for name, index in names.items()],
            'categories': [{'id': label, 'name': name} for label, name in enumerate(part.classes, 1)]}
