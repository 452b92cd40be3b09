"""What is wrong with data."""
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine import fileio

from lcvision.datasets.check.layouts import Found, Part
from lcvision.datasets.mask_check import PIXELS
from lcvision.datasets.mask_coding import MaskCoding, mask_size, read_mask, values_of
from lcvision.environment import usable_threads
from lcvision.errors import UserError
from lcvision.image_file import decode_image, missing_end, upright_size
from lcvision.progress import progress
from lcvision.text import listing

# Of compressed images hardly two have the same length and the same last bytes.
_TAIL = 4096
# Objects of the commonest class for each of the rarest; pixels that a box should have at the network's input, and the
# share of smaller ones that is worth a word.
_IMBALANCE, _LEAST_SIDE, _MANY_SMALL = 100, 8, 0.2
_QUICK = 20_000
_MISSING = 'missing'


class Seen(NamedTuple):
    """What was seen of an image: (width, height), what equal files share, faults, and the labels of its mask."""

    size: tuple[int, int] = (0, 0)
    key: tuple[int, bytes] = (0, b'')
    fault: str = ''
    mask_fault: str = ''
    labels: Sequence[int] = ()


@dataclass(frozen=True)
class Finding:
    """Something wrong.

    Attributes:
        level: 'error' where training would stop or its metric be wrong, else 'warning'.
        split, text: Where, and what.
        examples: Files or names concerned.
        mended: Whether a repaired copy is without it.
    """

    level: str
    split: str
    text: str
    examples: Sequence[str] = ()
    mended: bool = True

    def __str__(self) -> str:
        return f'{self.split}: {self.text}' + (f': {listing(self.examples)}' if self.examples else '')


def look_at(found: Found, decode: bool = False) -> list[list[Seen]]:
    """Reads the header and the end of every image, and as many masks as training checks.

    Boxes in shares of their image become pixels, and the labels of masks objects. With ``decode`` every image is
    decoded, which takes milliseconds for each.
    """
    every = []
    for part in found.parts:
        look = partial(_look, part, found.codings.get(part.name), decode)
        first = look(1, 0).size if part.masks else (0, 0)
        stride = -(-len(part.images) * first[0] * first[1] // PIXELS) or 1
        with ThreadPool(usable_threads()) as pool:
            images = pool.imap(partial(look, stride), range(len(part.images)), 64)
            every.append(list(progress(images, f'looking at the images of {part.name}', len(part.images))))
        if part.masks:
            part.rows = [(index, label, 0, 0, 0, 0, False, 0) for index, seen in enumerate(every[-1])
                         for label in seen.labels if label < len(part.classes)]
        elif found.relative and part.rows:
            part.table[:, 2:6] *= [2 * every[-1][int(index)].size for index in part.table[:, 0]]
    return every


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
        if index % stride:
            return seen
        pixels, table = read_mask(mask)
        return seen._replace(labels=values_of(coding.labels(pixels, mask, table)))
    except (UserError, OSError) as error:
        return seen._replace(mask_fault=str(error) if mask.is_file() else _MISSING)


def _look_at_file(image: str, decode: bool) -> Seen:
    content = fileio.get(image) if decode or '://' in image else None
    if content is not None:
        head, length = content, len(content)
    else:
        with open(image, 'rb') as file:  # noqa: PTH123
            head, length = file.read(32), file.seek(0, 2)
            file.seek(max(0, length - _TAIL))
            head += file.read()
    missing = missing_end(head) and missing_end(content or Path(image).read_bytes())
    if missing or not length:
        return Seen(fault=missing or 'empty')
    size = upright_size('it', image if content is None else content)
    if decode and content:
        decode_image('it', content)
    return Seen(size, (length, blake2b(head[-_TAIL:], digest_size=16).digest()))


def equal_images(found: Found, every: Sequence[Sequence[Seen]]) -> list[list[tuple[int, int]]]:
    """Groups of files with the same content, each by the index of its part and of its image."""
    groups: dict[object, list[tuple[int, int]]] = defaultdict(list)
    for number, images in enumerate(every):
        for index, seen in enumerate(images):
            groups[seen.key if not seen.fault else (number, index)].append((number, index))
    likely = [place for group in groups.values() if len(group) > 1 for place in group]
    groups.clear()
    for number, index in progress(likely, 'comparing images of the same length and end'):
        groups[blake2b(fileio.get(found.parts[number].images[index])).digest()].append((number, index))
    return [group for group in groups.values() if len(group) > 1]


def find_faults(found: Found, every: Sequence[Sequence[Seen]], equal: Sequence[Sequence[tuple[int, int]]],
                input_size: tuple[int, int] | None = None) -> Iterator[Finding]:
    """Everything that is wrong, given what :func:`look_at` and :func:`equal_images` found.

    ``input_size`` is height and width of the network's input, None for any.
    """
    for part, images in zip(found.parts, every, strict=True):
        yield from _files(part, images)
        if found.task == 'detection' and part.rows:
            yield from _boxes(part, images)
        yield from _classes(part)
    if input_size:
        yield from _against_input(found.parts[0], every[0], input_size, found.task == 'detection')
    yield from _equal(found, equal)


def quick_faults(datasets: Mapping[str, Any]) -> Iterator[Finding]:
    """What the lists of built data sets show within seconds; those of more than 20,000 images are left out."""
    found, every = Found('', ''), []
    for name, dataset in datasets.items():
        while hasattr(dataset, 'dataset'):  # a wrapper may repeat its images
            dataset = dataset.dataset
        if not hasattr(dataset, 'get_data_info') or len(dataset) > _QUICK:
            continue
        part, images = Part(name, list(dataset.metainfo.get('classes') or ())), []
        for index, info in enumerate(map(dataset.get_data_info, range(len(dataset)))):
            path = info.get('img_path', '')
            part.images.append(path)
            known = Path(path).is_file()
            images.append(Seen((info.get('width', 0), info.get('height', 0)),
                               (Path(path).stat().st_size, b'') if known else (index, path.encode())))
            for one in info.get('instances', ()):
                x, y, right, bottom = one['bbox']
                part.rows.append((index, one['bbox_label'], x, y, right - x, bottom - y, one['ignore_flag'], 0))
            if isinstance(info.get('gt_label'), int):
                part.rows.append((index, info['gt_label'], 0, 0, 0, 0, 0, 0))
        part.sizes = [seen.size for seen in images]
        found.parts.append(part)
        every.append(images)
        if part.rows:
            yield from _boxes(part, images) if part.table[:, 4].any() else ()
            yield from _classes(part)
    yield from _equal(found, equal_images(found, every))


def _equal(found: Found, equal: Sequence[Sequence[tuple[int, int]]]) -> Iterator[Finding]:
    for split in {tuple(sorted({number for number, _ in group})) for group in equal}:
        groups = [group for group in equal if {number for number, _ in group} == {*split}]
        names = [Path(found.parts[group[0][0]].images[group[0][1]]).name for group in groups]
        both = ' and '.join(found.parts[number].name for number in split)
        yield (Finding('error', both, f'{len(names)} images are in both, which makes the metric too good', names)
               if len(split) > 1 else Finding('warning', both, f'{len(names)} images are there twice', names, False))


def _files(part: Part, images: Sequence[Seen]) -> Iterator[Finding]:
    named = [(Path(path).name, seen) for path, seen in zip(part.images, images)]
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


def box_faults(part: Part, images: Sequence[Seen]) -> dict[str, np.ndarray]:
    """Which boxes have no area in their image, are there already, or reach over its edge by more than a pixel."""
    table = part.table
    sizes = np.array([seen.size if any(seen.size) else stated for seen, stated in zip(images, part.sizes)])
    limit = np.where(sizes > 0, sizes, np.inf)[table[:, 0].astype(int)]
    low, high = table[:, 2:4], table[:, 2:4] + table[:, 4:6]
    empty = ((high - low < 1) | (np.minimum(high, limit) <= np.maximum(low, 0))).any(1)
    order = np.lexsort(table[:, :6].T)
    twice = np.zeros(len(table), bool)
    twice[order[1:]] = (table[order[1:], :6] == table[order[:-1], :6]).all(1)
    return {'empty': empty, 'twice': twice & ~empty, 'out': ((low < -1) | (high > limit + 1)).any(1) & ~empty}


def _boxes(part: Part, images: Sequence[Seen]) -> Iterator[Finding]:
    texts = {'empty': 'are less than a pixel wide or high, or outside their image', 'twice': 'are there twice',
             'out': 'reach over the edge of their image'}
    for kind, faulty in box_faults(part, images).items():
        if faulty.any():
            names = [Path(part.images[int(index)]).name for index in np.unique(part.table[faulty, 0])]
            # Nothing can match such a box, and training leaves it out.
            level = 'error' if kind == 'empty' and part.name != 'train' else 'warning'
            yield Finding(level, part.name, f'{faulty.sum()} of {len(faulty)} boxes {texts[kind]}', names)


def _classes(part: Part) -> Iterator[Finding]:
    counts = part.counts
    absent = [name for name, count in counts.items() if not count]
    if absent:
        what = 'cannot be learned' if part.name == 'train' else 'do not count in the metric'
        text = f'{len(absent)} of {len(counts)} classes are in no image and {what}'
        yield Finding('warning', part.name, text, absent, False)
    most, least = (choose((name for name in counts if counts[name]), key=counts.__getitem__, default='')
                   for choose in (max, min))
    if part.name == 'train' and most and counts[most] > _IMBALANCE * counts[least]:
        yield Finding('warning', part.name, f'{most} occurs {counts[most]} times, {least} {counts[least]} times: so '
                      'rare a class is hardly learned', (), False)


def _against_input(part: Part, images: Sequence[Seen], size: tuple[int, int], boxes: bool) -> Iterator[Finding]:
    seen = np.array([seen.size for seen in images if not seen.fault] or [size[::-1]])
    width, height = np.median(seen, 0)
    if width < size[1] / 2 and height < size[0] / 2:
        yield Finding('warning', part.name, f'most images are about {width:g}x{height:g}, and would be enlarged to '
                      f'{size[1]}x{size[0]}: a smaller input is quicker', (), False)
    if boxes and part.rows:
        owners = np.array([seen.size for seen in images])[part.table[:, 0].astype(int)]
        share = ((part.table[:, 4:6] * size[::-1] / np.maximum(owners, 1)).min(1) < _LEAST_SIDE).mean()
        if share > _MANY_SMALL:
            yield Finding('warning', part.name, f'{share:.0%} of the boxes are less than {_LEAST_SIDE} pixels wide or '
                          f'high at the input {size[1]}x{size[0]}: a larger input finds more of them', (), False)
