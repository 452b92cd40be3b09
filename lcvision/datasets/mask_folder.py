"""Images and masks in two folders under the same names."""
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset

from lcvision.datasets.layout import file_names, first_of, first_twice, part_of
from lcvision.datasets.mask_coding import Colour, read_mask
from lcvision.errors import UserError
from lcvision.progress import progress
from lcvision.registry import DATASETS
from lcvision.visualization.painter import distinct_colour

LAYOUT = ('a folder with images/{train,val}/ and masks/{train,val}/, or with {train,val}/images/ and '
          '{train,val}/masks/, files of the same names, and classes.txt')
_PAIRS = (('images', 'masks'), ('img_dir', 'ann_dir'))
# Names of a split's folder; without splits all images are in one.
_SPLITS = {'train': ('train', 'training'), 'val': ('val', 'valid', 'validation'), 'all': ('.',)}
_IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
# The first that fits is taken; JPEGs are among them to be refused with the reason.
_MASK_SUFFIXES = ('.png', '.bmp', '.tif', '.tiff', '.gif', '.jpg', '.jpeg')
_MASK_ENDS = ('', '_mask', '_label', '_gt')
# A value is an edge between classes if fewer than one in this many of its pixels have neighbours of the same value.
_INNER = 10
# A name, which ends in neither blank nor comma, and three numbers.
_LINE = re.compile(r'(.*[^\s,])[\s,]+(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})')
_IGNORE = 'ignore'
_MOST = 255


@dataclass(frozen=True)
class ClassList:
    """Classes of a data set.

    Attributes:
        names, colours: In the order of the labels; colours are RGB of 0..255, None if there are none.
        ignored: Colours of what does not count.
    """

    names: tuple[str, ...]
    colours: tuple[Colour, ...] | None = None
    ignored: tuple[Colour, ...] = ()


@DATASETS.register_module()
class MaskFolderDataset(BaseSegDataset):
    """A segmentation data set of a folder of images and a folder of masks, with any endings.

    Masks hold class indices, with or without a colour table, or the classes' colours.

    Args:
        part: 'val' takes every fifth image, 'train' the others, None all.
        by_colour: Whether masks of three channels hold the colours of the palette in ``metainfo``.
        ignored_colours: Further RGB colours, of what does not count.
        kwargs: What mmseg's ``BaseSegDataset`` takes: ``data_prefix`` with the folders ``img_path`` and
            ``seg_map_path``, ``metainfo`` with ``classes`` and ``palette``.

    Differs: mmseg's wants one ending for all images and one for all masks, and knows no masks of colours.
    """

    def __init__(self, part: str | None = None, by_colour: bool = False, ignored_colours: list | tuple = (),
                 **kwargs) -> None:
        if part not in (None, 'train', 'val'):
            raise ValueError(f"MaskFolderDataset: part must be None, 'train' or 'val', got {part!r}.")
        self.part, self.by_colour, self.ignored_colours = part, by_colour, ignored_colours
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        """Lists images and masks, with what the loading transform needs to know about the masks."""
        colours = None
        if self.by_colour:
            colours = {tuple(colour): self.ignore_index for colour in self.ignored_colours}
            colours |= {tuple(colour): index for index, colour in enumerate(self.metainfo['palette'])}
        folders = Path(self.data_prefix['img_path']), Path(self.data_prefix['seg_map_path'])
        return [dict(img_path=str(image), seg_map_path=str(mask), label_map=self.label_map, mask_colours=colours,
                     reduce_zero_label=self.reduce_zero_label, seg_fields=[])
                for image, mask in pair_up(*folders, self.part)]


def holds(root: Path) -> bool:
    """Whether a folder has images or masks where the layout has them."""
    return bool(_places(root, *_SPLITS))


def find(root: Path, split: str, other: dict | None = None) -> dict:
    """Entries of the config of a dataset on a split.

    The classes are those of ``classes.txt``, see :func:`read_class_list`, or of the ``other`` split. Without either the
    masks hold indices, and the largest index of all masks gives the number of classes. Without folders for the splits
    every fifth image, by name, is held out for validation.
    """
    places = _places(root, split)
    if not places and _places(root, 'train', 'val'):
        raise UserError(f'{root} has no images for {split!r}: expected {LAYOUT}')
    first_of([images for images, _ in places] or [root], f'images of the split {split!r}',
             'images come before img_dir, and val before valid and validation')
    part = None if places else split
    if part == 'val':
        print_log(f'{root} has no folders train/ and val/: every fifth image is held out for validation',
                  logger='current')
    images, masks = (places or _places(root, 'all') or [(root / 'images', root / 'masks')])[0]
    for folder in (images, masks):
        if not folder.is_dir():
            raise UserError(f'no folder {folder}: expected {LAYOUT}')
    return {**(other or _class_entries(_classes(root))), 'part': part,
            'data_prefix': dict(img_path=str(images), seg_map_path=str(masks))}


def _class_entries(classes: ClassList) -> dict:
    colours = classes.colours or [distinct_colour(index) for index in range(len(classes.names))]
    return dict(type='lcvision.MaskFolderDataset', by_colour=classes.colours is not None,
                metainfo=dict(classes=classes.names, palette=[list(colour) for colour in colours]),
                ignored_colours=[list(colour) for colour in classes.ignored])


def pair_up(image_folder: Path, mask_folder: Path, part: str | None = None) -> list[tuple[Path, Path]]:
    """Images at any depth, in the order of their names, and their masks; for a missing mask, the file expected.

    A mask has the name of its image, perhaps followed by ``_mask``, ``_label`` or ``_gt``, and any ending. ``part`` is
    that of :class:`MaskFolderDataset`.
    """
    images = [Path(name) for name in file_names(image_folder) if name.lower().endswith(_IMAGE_SUFFIXES)]
    names = [Path(name) for name in file_names(mask_folder) if name.lower().endswith(_MASK_SUFFIXES)]
    masks = {str(name.with_suffix('')): name
             for name in sorted(names, key=lambda name: -_MASK_SUFFIXES.index(name.suffix.lower()))}
    pairs = []
    for image in part_of(images, part):
        stem = str(image.with_suffix(''))
        name = next((masks[stem + end] for end in _MASK_ENDS if stem + end in masks), Path(stem + '.png'))
        pairs.append((image_folder / image, mask_folder / name))
    return pairs


def _classes(root: Path) -> ClassList:
    listed = root / 'classes.txt'
    if listed.is_file():
        return read_class_list(listed)
    places = _places(root, 'train', 'val') or _places(root, 'all')[:1]
    masks = [mask for images, folder in places if images.is_dir() and folder.is_dir()
             for _, mask in pair_up(images, folder) if mask.is_file()]
    if not masks:
        raise UserError(f'{root} has no image with a mask: expected {LAYOUT}')
    count, table = _count_classes(masks, listed)
    colours = table[:count] if table and len(set(table[:count])) == count else None
    return ClassList(tuple(f'class {index}' for index in range(count)), colours)


def _count_classes(masks: list[Path], listed: Path) -> tuple[int, tuple[Colour, ...] | None]:
    # Pixels of each value, and those of them that are equal to their upper and left neighbours.
    counts, inner = np.zeros((2, 256), np.int64)
    colours = None
    for path in progress(masks, f'counting the classes of the masks of {listed.parent}, which has no classes.txt'):
        pixels, table = read_mask(path)
        colours = colours or table
        if pixels.ndim == 3:
            if (pixels[..., :1] != pixels[..., 1:]).any():
                raise UserError(f'Mask file {path} holds colours, and nothing says which class each colour is: write '
                                f'{listed} with "name R G B" on each line')
            pixels = pixels[..., 0]
        corner = pixels[1:, 1:]
        alike = corner[(corner == pixels[:-1, 1:]) & (corner == pixels[1:, :-1])]
        counts += np.bincount(pixels.ravel(), minlength=256)
        inner += np.bincount(alike, minlength=256)
    occurring = np.flatnonzero(counts[:255])
    if not occurring.any():
        raise UserError(f'the masks of {listed.parent} hold no index from 1 to 254 (255 does not count), and thus '
                        f'fewer than two classes: write indices, or {listed} with "name R G B" on each line')
    edges = occurring[inner[occurring] * _INNER < counts[occurring]]
    if len(edges) > max(2, len(occurring) / 2):
        raise UserError(f'the masks of {listed.parent} look smoothed: {len(edges)} of their {len(occurring)} values, '
                        f'such as {edges[len(edges) // 2]}, occur along edges only, and each would be a class; save '
                        f'them without smoothing or interpolation, or write {listed} if these are classes')
    return int(occurring[-1]) + 1, colours


def _places(root: Path, *splits: str) -> list[tuple[Path, Path]]:
    """Folders of images and of masks, at least one of which exists, the likeliest first."""
    names = [(images, masks, name) for split in splits for images, masks in _PAIRS for name in _SPLITS[split]]
    places = [place for images, masks, name in names for place in (
        (root / images / name, root / masks / name), (root / name / images, root / name / masks))]
    return [place for place in places if place[0].is_dir() or place[1].is_dir()]


def read_class_list(path: Path) -> ClassList:
    """Reads a text file with a class on each line: its name and, on all lines or on none, its colour.

    The colour is three numbers 0..255, red, green and blue, after blanks or commas: ``traffic light 250 170 30``.
    Lines named ``ignore`` give colours that do not count; they are no class. Empty lines are skipped.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding='utf-8-sig').splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path} cannot be read as text in UTF-8 ({error}): write one class on each line') from error
    entries = [_parse(path, line) for line in lines]
    names = [name for name, _ in entries if name != _IGNORE]
    if not 1 <= len(names) <= _MOST:
        raise UserError(f'{path} lists {len(names)} classes: write from 1 to {_MOST}, one on each line')
    _require_unique(path, 'class', names)
    bare = [name for name, colour in entries if colour is None]
    if bare and (len(bare) < len(entries) or _IGNORE in bare):
        raise UserError(f'{path} has no colour for {bare[-1]!r}: give a colour ("name R G B") on every line or on '
                        'none; in masks of indices 255 is what does not count')
    if bare:
        return ClassList(tuple(names))
    _require_unique(path, 'colour', [colour for _, colour in entries])
    return ClassList(tuple(names), tuple(colour for name, colour in entries if name != _IGNORE and colour),
                     tuple(colour for name, colour in entries if name == _IGNORE and colour))


def _parse(path: Path, line: str) -> tuple[str, Colour | None]:
    found = _LINE.fullmatch(line)
    if not found:
        return line, None
    name, red, green, blue = found[1], *map(int, found.groups()[1:])
    if max(red, green, blue) > 255:
        raise UserError(f'{path} gives {name!r} the colour {red} {green} {blue}: red, green and blue go from 0 to 255')
    return name, (red, green, blue)


def _require_unique(path: Path, what: str, values: list) -> None:
    if (twice := first_twice(values)) is not None:
        raise UserError(f'{path} has the {what} {twice!r} on more than one line: each must be unique')
