"""Reads a folder of images and a folder of masks under the same names."""
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from lcvision.datasets.class_list import ClassList, read_class_list
from lcvision.datasets.file_names import file_names
from lcvision.datasets.mask_coding import Colour, read_mask
from lcvision.datasets.progress import progress
from lcvision.datasets.several import first_of
from lcvision.errors import UserError
from lcvision.visualization.palette import distinct_colour

LAYOUT = ('images/{train,val}/ with masks/{train,val}/, or {train,val}/images/ with {train,val}/masks/, files of the '
          'same names, and classes.txt')
_PAIRS = (('images', 'masks'), ('img_dir', 'ann_dir'))
_SPLITS = {'train': ('train', 'training'), 'val': ('val', 'valid', 'validation')}
_IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
# The first that fits is taken; a JPEG is found to be refused with the reason.
_MASK_SUFFIXES = ('.png', '.bmp', '.tif', '.tiff', '.gif', '.jpg', '.jpeg')
_MASK_ENDS = ('', '_mask', '_label', '_gt')
# Where fewer than one in so many pixels of a class have neighbours of their class, it is an edge.
_INNER = 10
# Without splits every so many-th image is held out.
HELD_OUT = 5


def is_mask_folder(root: Path) -> bool:
    """Tells whether a folder has images or masks where the layout has them."""
    return any(next(_places(root, split), None) for split in _SPLITS) or _whole(root) is not None


def find_mask_folder(root: Path, split: str, other: dict | None = None) -> dict:
    """Finds a split of a folder of images and masks.

    The classes are those of ``classes.txt``, see :func:`lcvision.datasets.class_list.read_class_list`. Without it the
    masks hold indices, and there are as many classes as the largest index of all masks says. Without folders for the
    splits every fifth image, by name, is held out for validation.

    Args:
        root: Folder with ``images/`` and ``masks/``.
        split: 'train' or 'val'.
        other: What was found for another split of this folder, whose classes are then taken.

    Returns:
        Entries of the config of a dataset on this split.

    Raises:
        UserError: A folder or the split is missing, the list of classes is faulty, or there is none and the masks do
            not tell the classes.
    """
    place = next(_places(root, split), None)
    if place is None and any(next(_places(root, other), None) for other in _SPLITS):
        raise UserError(f'{root} has no images for {split!r}: the layout is {LAYOUT}')
    first_of([images for images, _ in _places(root, split)] or [root], f'images of the split {split!r}',
             'images come before img_dir, and val before valid and validation')
    part = None if place else split
    if part == 'val':
        print_log(f'{root} has no folders train/ and val/: every fifth image is held out for validation',
                  logger='current')
    images, masks = place or _whole(root) or (root / 'images', root / 'masks')
    for folder in (images, masks):
        if not folder.is_dir():
            raise UserError(f'no folder {folder}: the layout is {LAYOUT}')
    return {**(other or _class_entries(root)), 'part': part,
            'data_prefix': dict(img_path=str(images), seg_map_path=str(masks))}


def _class_entries(root: Path) -> dict:
    classes = _classes(root)
    colours = classes.colours or [distinct_colour(index) for index in range(len(classes.names))]
    return dict(type='lcvision.MaskFolderDataset', by_colour=classes.colours is not None,
                metainfo=dict(classes=classes.names, palette=[list(colour) for colour in colours]),
                ignored_colours=[list(colour) for colour in classes.ignored])


def pair_up(image_folder: Path, mask_folder: Path, part: str | None = None) -> list[tuple[Path, Path]]:
    """Finds the mask of every image.

    A mask has the name of its image, perhaps followed by ``_mask``, ``_label`` or ``_gt``, and any ending.

    Args:
        image_folder: With images at any depth.
        mask_folder: With masks at the same places.
        part: 'val' takes every fifth image, 'train' the others, None all.

    Returns:
        Images in the order of their names and their masks; for an image without one, the file that it should be.
    """
    images = [Path(name) for name in file_names(image_folder) if name.lower().endswith(_IMAGE_SUFFIXES)]
    names = [Path(name) for name in file_names(mask_folder) if name.lower().endswith(_MASK_SUFFIXES)]
    masks = {str(name.with_suffix('')): name
             for name in sorted(names, key=lambda name: -_MASK_SUFFIXES.index(name.suffix.lower()))}
    held_out = slice(HELD_OUT - 1, None, HELD_OUT) if len(images) >= HELD_OUT else slice(-1, None)
    if part == 'val':
        images = images[held_out]
    elif part == 'train':
        del images[held_out]
    pairs = []
    for image in images:
        stem = str(image.with_suffix(''))
        name = next((masks[stem + end] for end in _MASK_ENDS if stem + end in masks), Path(stem + '.png'))
        pairs.append((image_folder / image, mask_folder / name))
    return pairs


def _classes(root: Path) -> ClassList:
    listed = root / 'classes.txt'
    if listed.is_file():
        return read_class_list(listed)
    places = [place for split in _SPLITS for place in _places(root, split)]
    whole = _whole(root)
    if not places and whole:
        places = [whole]
    masks = [mask for images, folder in places if images.is_dir() and folder.is_dir()
             for _, mask in pair_up(images, folder) if mask.is_file()]
    if not masks:
        raise UserError(f'{root} has no image with a mask: the layout is {LAYOUT}')
    count, table = _count_classes(masks, listed)
    distinct = table and len(set(table[:count])) == count
    return ClassList(tuple(f'class {index}' for index in range(count)), table[:count] if table and distinct else None)


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
        raise UserError(f'the masks of {listed.parent} hold no index from 1 to 254 (255 is what does not count), so '
                        f'that there are not two classes to tell apart: write indices, or {listed} with "name R G B" '
                        'on each line')
    edges = occurring[inner[occurring] * _INNER < counts[occurring]]
    if len(edges) > max(2, len(occurring) / 2):
        raise UserError(f'the masks of {listed.parent} look smoothed: {len(edges)} of their {len(occurring)} values, '
                        f'such as {edges[len(edges) // 2]}, lie along edges only, and each would be a class; save '
                        f'them without smoothing or interpolation, or write {listed} if these are classes')
    return int(occurring[-1]) + 1, colours


def _places(root: Path, split: str) -> Iterator[tuple[Path, Path]]:
    for images, masks in _PAIRS:
        for name in _SPLITS[split]:
            for place in ((root / images / name, root / masks / name), (root / name / images, root / name / masks)):
                if place[0].is_dir() or place[1].is_dir():
                    yield place


def _whole(root: Path) -> tuple[Path, Path] | None:
    return next(((root / images, root / masks) for images, masks in _PAIRS
                 if (root / images).is_dir() or (root / masks).is_dir()), None)
