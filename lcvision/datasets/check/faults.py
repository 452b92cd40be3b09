"""What is wrong with data."""
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np
from mmengine import fileio

from lcvision.datasets.check.layouts import Found, Part, Seen
from lcvision.datasets.layout import is_data
from lcvision.datasets.mask_check import PIXELS
from lcvision.datasets.mask_coding import MaskCoding, mask_size, values_of
from lcvision.environment import usable_threads
from lcvision.errors import UserError
from lcvision.image_file import decode_image, missing_end, upright_size
from lcvision.progress import progress
from lcvision.text import listing

# Of compressed images hardly two have the same length and the same last bytes.
_TAIL = 4096
# Objects of the commonest class for each of the rarest; pixels that a box should have at the network's input, and the
# share of smaller ones that is worth a word; images of a split that a quick look takes seconds for.
_IMBALANCE, _LEAST_SIDE, _MANY_SMALL, _QUICK = 100, 8, 0.2, 20_000
_MISSING = 'missing'


@dataclass(frozen=True)
class Finding:
    """Something wrong: an 'error' where training would stop or its metric be wrong, else a 'warning'.

    ``examples`` are the files or names concerned; where it is ``mended``, a repaired copy is without it.
    """

    level: str
    split: str
    text: str
    examples: Sequence[str] = ()
    mended: bool = True

    def __str__(self) -> str:
        return f'{self.split}: {self.text}' + (f': {listing(self.examples)}' if self.examples else '')


def look_at(found: Found, decode: bool = False) -> Found:
    """Reads the header and the end of every image, and as many masks as training checks.

    Boxes in shares of their image become pixels, and the labels of masks objects. With ``decode`` every image is
    decoded, which takes milliseconds for each.
    """
    for part in found.parts:
        look = partial(_look, part, found.codings.get(part.name), decode)
        first = look(1, 0).size if part.masks else (0, 0)
        stride = -(-len(part.images) * first[0] * first[1] // PIXELS) or 1
        with ThreadPool(usable_threads()) as pool:
            seen = pool.imap(partial(look, stride), range(len(part.images)), 64)
            part.seen = list(progress(seen, f'looking at the images of {part.name}', len(part.images)))
        if part.masks:
            part.rows = np.array([(index, label, *[0] * 6) for index, seen in enumerate(part.seen)
                                  for label in seen.labels if label < len(part.classes)]).reshape(-1, 8)
        elif found.relative and len(part.rows):
            part.rows[:, 2:6] *= [2 * part.seen[int(index)].size for index in part.rows[:, 0]]
    return found


def _look(part: Part, coding: MaskCoding | None, decode: bool, stride: int, index: int) -> Seen:
    try:
        seen = _look_at_file(part.images[index], decode)
    except UserError as error:
        seen = Seen(fault=str(error))
    except (OSError, ValueError, SyntaxError) as error:
        seen = Seen(fault=_MISSING if isinstance(error, FileNotFoundError) else 'not an image that can be read')
    if coding is None:
        return seen
    mask = Path(part.masks[index])
    try:
        if seen.size not in ((0, 0), mask_size(mask)):
            return seen._replace(mask_fault='its image has another size')
        return seen._replace(labels=() if index % stride else values_of(coding.read(mask)))
    except (UserError, OSError) as error:
        return seen._replace(mask_fault=str(error) if mask.is_file() else _MISSING)


def _look_at_file(image: str, decode: bool) -> Seen:
    content = fileio.get(image) if decode or '://' in image else None
    if content is not None:
        ends, length = content, len(content)
    else:
        if not is_data(image):
            raise FileNotFoundError
        with open(image, 'rb') as file:  # noqa: PTH123
            ends, length = file.read(32), file.seek(0, 2)
            file.seek(max(0, length - _TAIL))
            ends += file.read()
    missing = 'empty' if not length else missing_end(ends) and missing_end(content or Path(image).read_bytes())
    if missing:
        return Seen(fault=missing)
    size = upright_size('it', image if content is None else content)
    if decode and content:
        decode_image('it', content)
    return Seen(size, (length, blake2b(ends[-_TAIL:], digest_size=16).digest()))


def find_faults(found: Found, input_size: tuple[int, int] | None = None) -> Iterator[Finding]:
    """Everything that is wrong, once :func:`look_at` has looked at it.

    ``input_size`` is height and width of the network's input, None for any.
    """
    for part in found.parts:
        yield from _files(part)
        yield from _boxes(part) if found.task == 'detection' else ()
        yield from _classes(part)
    if input_size:
        yield from _against_input(found.parts[0], input_size)
    yield from _equal(found)


def quick_faults(datasets: Mapping[str, Any]) -> Iterator[Finding]:
    """What the lists of built data sets show within seconds; those of more than 20,000 images are left out."""
    found = Found('', '')
    for name, dataset in datasets.items():
        while hasattr(dataset, 'dataset'):  # a wrapper may repeat its images
            dataset = dataset.dataset
        if not hasattr(dataset, 'get_data_info') or len(dataset) > _QUICK:
            continue
        infos, rows = [dataset.get_data_info(index) for index in range(len(dataset))], []
        for index, info in enumerate(infos):
            for box, label in ((one['bbox'], one['bbox_label']) for one in info.get('instances', ())):
                rows.append((index, label, *box[:2], box[2] - box[0], box[3] - box[1], 0, 0))
            rows += [(index, info['gt_label'], *[0] * 6)] if isinstance(info.get('gt_label'), int) else []
        part = Part(name, list(dataset.metainfo.get('classes') or ()), [info.get('img_path', '') for info in infos])
        part.rows, part.sizes = np.array(rows, float).reshape(-1, 8), [(0, 0)] * len(infos)
        part.seen = [Seen((info.get('width', 0), info.get('height', 0)), (Path(path).stat().st_size, b''))
                     if Path(path := info.get('img_path', '')).is_file() else Seen(fault=_MISSING) for info in infos]
        found.parts.append(part)
        yield from _boxes(part) if 'instances' in infos[0] else ()
        yield from _classes(part) if rows else ()
    yield from _equal(found)


def _files(part: Part) -> Iterator[Finding]:
    named = [(Path(path).name, seen) for path, seen in zip(part.images, part.seen)]
    faults = {
        'images are missing': [name for name, seen in named if seen.fault == _MISSING],
        'images cannot be read': [f'{name} ({seen.fault})' for name, seen in named if seen.fault not in ('', _MISSING)],
        'masks are missing or wrong': [f'{name} ({seen.mask_fault})' for name, seen in named if seen.mask_fault],
        'images have another size than annotated': [
            f'{name} ({seen.size[0]}x{seen.size[1]}, not {size[0]:g}x{size[1]:g})'
            for (name, seen), size in zip(named, part.sizes) if any(size) and not seen.fault and seen.size != size],
        'annotations cannot be read': part.wrong}
    for text, names in faults.items():
        if names:
            yield Finding('error', part.name, f'{len(names)} {text}', names)


def box_faults(part: Part) -> dict[str, np.ndarray]:
    """Which boxes have no area in their image, are there already, or reach over its edge by more than a pixel."""
    sizes = np.array([seen.size if any(seen.size) else stated for seen, stated in zip(part.seen, part.sizes)])
    limit = np.where(sizes > 0, sizes, np.inf)[part.rows[:, 0].astype(int)]
    low, high = part.rows[:, 2:4], part.rows[:, 2:4] + part.rows[:, 4:6]
    empty = ((high - low < 1) | (np.minimum(high, limit) <= np.maximum(low, 0))).any(1)
    order = np.lexsort(part.rows[:, :6].T)
    twice = np.zeros(len(order), bool)
    twice[order[1:]] = (part.rows[order[1:], :6] == part.rows[order[:-1], :6]).all(1)
    return {'are less than a pixel wide or high, or outside their image': empty, 'are there twice': twice & ~empty,
            'reach over the edge of their image': ((low < -1) | (high > limit + 1)).any(1) & ~empty}


def _boxes(part: Part) -> Iterator[Finding]:
    level = 'warning' if part.name == 'train' else 'error'  # nothing can match the first kind; training leaves it out
    for text, faulty in box_faults(part).items():
        if faulty.any():
            names = [Path(part.images[int(index)]).name for index in np.unique(part.rows[faulty, 0])]
            yield Finding(level, part.name, f'{faulty.sum()} of {len(faulty)} boxes {text}', names)
        level = 'warning'


def _classes(part: Part) -> Iterator[Finding]:
    counts = part.counts
    absent = [name for name, count in counts.items() if not count]
    if absent:
        what = 'cannot be learned' if part.name == 'train' else 'do not count in the metric'
        text = f'{len(absent)} of {len(counts)} classes are in no image and {what}'
        yield Finding('warning', part.name, text, absent, False)
    ranked = sorted((count, name) for name, count in counts.items() if count)
    if part.name == 'train' and ranked and ranked[-1][0] > _IMBALANCE * ranked[0][0]:
        (least, rare), (most, common) = ranked[0], ranked[-1]
        yield Finding('warning', part.name, f'{common} occurs {most} times, {rare} {least} times: so rare a class is '
                      'hardly learned', (), False)


def _against_input(part: Part, size: tuple[int, int]) -> Iterator[Finding]:
    width, height = np.median([seen.size for seen in part.seen], 0)
    if 0 < width < size[1] / 2 and height < size[0] / 2:
        yield Finding('warning', part.name, f'most images are about {width:g}x{height:g}, and would be enlarged to '
                      f'{size[1]}x{size[0]}: a smaller input is quicker', (), False)
    if part.rows[:, 4].any():
        owners = np.array([seen.size for seen in part.seen])[part.rows[:, 0].astype(int)]
        share = ((part.rows[:, 4:6] * size[::-1] / np.maximum(owners, 1)).min(1) < _LEAST_SIDE).mean()
        if share > _MANY_SMALL:
            yield Finding('warning', part.name, f'{share:.0%} of the boxes are less than {_LEAST_SIDE} pixels wide or '
                          f'high at the input {size[1]}x{size[0]}: a larger input finds more of them', (), False)


def equal_images(found: Found) -> list[list[tuple[int, int]]]:
    """Groups of files with the same content, each by the index of its part and of its image."""
    groups: dict[object, list[tuple[int, int]]] = defaultdict(list)
    for number, part in enumerate(found.parts):
        for index, seen in enumerate(part.seen):
            if not seen.fault:
                groups[seen.key].append((number, index))
    likely = [place for group in groups.values() if len(group) > 1 for place in group]
    groups.clear()
    for number, index in progress(likely, 'comparing images of the same length and end'):
        groups[blake2b(fileio.get(found.parts[number].images[index])).digest()].append((number, index))
    return [group for group in groups.values() if len(group) > 1]


def _equal(found: Found) -> Iterator[Finding]:
    places: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for group in equal_images(found):
        number, index = group[0]
        names = dict.fromkeys(found.parts[number].name for number, _ in group)
        places[tuple(names)].append(Path(found.parts[number].images[index]).name)
    for splits, files in places.items():
        text = 'in both, which makes the metric too good' if len(splits) > 1 else 'there twice'
        yield Finding('error' if len(splits) > 1 else 'warning', ' and '.join(splits),
                      f'{len(files)} images are {text}', files, len(splits) > 1)
