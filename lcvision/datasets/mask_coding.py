"""Reads mask files and decodes their values."""
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from mmengine import fileio
from PIL import Image

from lcvision.errors import UserError
from lcvision.image_file import missing_end, open_image
from lcvision.text import listing

_REMEDY = 'restore the file or remove it together with its image'

Colour = tuple[int, int, int]


class Mask(NamedTuple):
    """What a mask file holds.

    Attributes:
        pixels: Indices, shape (H, W), or RGB colours, shape (H, W, 3), uint8.
        table: RGB colours of the indices 0, 1, 2, ...; None without a colour table, or if the indices are its shades
            of grey.
    """

    pixels: np.ndarray
    table: tuple[Colour, ...] | None = None


class MaskCoding:
    """Turns what a mask file holds into labels 0..num_classes-1 and ``ignore_index``.

    Args:
        num_classes: Classes; None takes any value as it is.
        ignore_index: Value of a pixel that does not count, in the files of indices and in the labels, 0..255.
        label_map: Value in the file -> label; None for files that hold labels.
        colours: RGB colour in the file -> label, for files of three channels or with a colour table, and for grey ones
            if all these colours are shades of grey; None if indices alone count.
        reduce_zero_label: Whether the files' 0 does not count and all other values are one too large.
    """

    def __init__(self, num_classes: int | None, ignore_index: int = 255, label_map: Mapping[int, int] | None = None,
                 colours: Mapping[Colour, int] | None = None, reduce_zero_label: bool = False) -> None:
        self.ignore_index, self.colours = ignore_index, colours
        shades = {c[0]: label for c, label in (colours or {}).items() if len(set(c)) == 1}
        if label_map is None and shades and len(shades) == len(colours or {}):
            label_map = shades
        elif label_map is None:
            label_map = {value: value for value in range(255 if num_classes is None else num_classes)}
        if reduce_zero_label:
            label_map = {0: ignore_index, **{value + 1: label for value, label in label_map.items() if value < 255}}
        # Whether that value has its meaning from the list of classes, not from this default.
        self.ignored_listed = ignore_index in label_map
        label_map = {ignore_index: ignore_index, **label_map}
        self._legal = np.isin(np.arange(256), list(label_map))
        self._table = np.full(256, ignore_index, np.uint8)
        self._table[list(label_map)] = list(label_map.values())

    def read(self, path: str | Path, backend_args: dict | None = None) -> np.ndarray:
        """Labels of a mask file, uint8, shape (H, W); see :func:`read_mask`."""
        mask = read_mask(path, backend_args=backend_args)
        return self.labels(mask.pixels, path, mask.table)

    def labels(self, mask: np.ndarray, path: str | Path, table: Sequence[Colour] | None = None) -> np.ndarray:
        """Labels, uint8, shape (H, W), of what :func:`read_mask` found in ``path``."""
        if mask.ndim == 3:
            return self._from_colours(mask, path)
        if table and self.colours is not None:
            return self._from_table(mask, path, table, self.colours)
        legal = self._legal[mask]
        if not legal.all():
            ignored = self._table == self.ignore_index
            raise UserError(f'Mask file {path} has the label value {listing(np.unique(mask[~legal]).tolist())}, which '
                            f'is no class: legal are {_spans(self._legal & ~ignored)}, and '
                            f'{_spans(self._legal & ignored)} for what does not count; correct the mask or the list of '
                            'classes')
        return self._table[mask]

    def _from_colours(self, mask: np.ndarray, path: str | Path) -> np.ndarray:
        if self.colours is None:
            if (mask[..., :1] == mask[..., 1:]).all():
                return self.labels(np.ascontiguousarray(mask[..., 0]), path)
            raise UserError(f'Mask file {path} holds colours, and nothing says which class each colour is: give '
                            'masks of class indices, or a classes.txt with "name R G B" on each line')
        codes = _colour_codes(mask)
        labels = np.full(codes.shape, -1, np.int16)
        for colour, label in self.colours.items():
            labels[codes == _colour_codes(np.array(colour))] = label
        unknown = labels < 0
        if unknown.any():
            raise _unknown_colour(path, [(code >> 16, code >> 8 & 255, code & 255)
                                         for code in np.unique(codes[unknown]).tolist()])
        return labels.astype(np.uint8)

    def _from_table(self, mask: np.ndarray, path: str | Path, table: Sequence[Colour],
                    colours: Mapping[Colour, int]) -> np.ndarray:
        known = {index: colours[colour] for index, colour in enumerate(table) if colour in colours}
        # A file's own index for what does not count needs no line in classes.txt.
        unknown = [index for index in values_of(mask) if index not in known and index != self.ignore_index]
        if unknown:
            found = [table[index] if index < len(table) else f'of index {index}' for index in unknown]
            raise _unknown_colour(path, found, '; or give no colours there if the indices are the labels')
        labels = np.full(256, self.ignore_index, np.uint8)
        labels[list(known)] = list(known.values())
        return cv2.LUT(mask, labels)


def read_mask(path: str | Path, content: bytes | None = None, backend_args: dict | None = None) -> Mask:
    """Reads a mask file, or its ``content`` if that was read already; for ``backend_args`` see :class:`LoadMask`.

    It is refused if it is missing, cannot be decoded, ends early, is too large, or has more than 8 bits per channel.
    """
    try:
        content = fileio.get(str(path), backend_args) if content is None else content
    except OSError as error:
        raise UserError(f'Mask file {path} cannot be read ({error.strerror or error}): {_REMEDY}') from error
    missing = missing_end(content)
    if missing:
        raise UserError(f'Mask file {path} ends early ({missing}, {len(content)} bytes): {_REMEDY}')
    try:
        with open_image(f'Mask file {path}', content) as image:
            _check_mode(image, path)
            if image.mode == '1':
                return Mask(np.array(image).astype(np.uint8))
            if image.mode in ('L', 'P'):
                return Mask(np.array(image), _colour_table(image))
            return Mask(np.array(image.convert('L' if image.mode == 'LA' else 'RGB')))
    except (OSError, ValueError, SyntaxError) as error:
        raise _undecodable(path, len(content)) from error


def mask_size(path: Path) -> tuple[int, int]:
    """Width and height of a mask file, of which only the header is read; refuses what :func:`read_mask` does."""
    try:
        with open_image(f'Mask file {path}', path) as image:
            _check_mode(image, path)
            return image.size
    except (OSError, ValueError, SyntaxError) as error:
        raise _undecodable(path, path.stat().st_size) from error


def _colour_table(image: Image.Image) -> tuple[Colour, ...] | None:
    flat = image.getpalette() if image.mode == 'P' else None
    if not flat or (len(flat) > 3 and flat == [index // 3 for index in range(len(flat))]):
        return None
    return tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=True))


def values_of(mask: np.ndarray) -> list[int]:
    """The values that occur among uint8 pixels, in ascending order."""
    return np.flatnonzero(cv2.calcHist([np.ascontiguousarray(mask)], [0], None, [256], [0, 256])).tolist()


def _check_mode(image: Image.Image, path: str | Path) -> None:
    """Refuses an opened mask whose pixels cannot be labels."""
    # Pillow cuts the channels of a 16-bit colour PNG down to 8 and says so only here.
    tiles = getattr(image, 'tile', ())
    raw = str(tiles[0][3]) if tiles else ''
    if image.mode.startswith(('I', 'F')) or ';16' in raw:
        raise UserError(f'Mask file {path} has more than 8 bits per channel ({raw or image.mode}): masks are 8-bit '
                        'files of class indices 0..254, with 255 for what does not count; convert it')
    if image.format == 'JPEG':
        raise UserError(f'Mask file {path} is a JPEG, whose compression changes the labels: save masks as PNG')


def _undecodable(path: str | Path, size: int) -> UserError:
    return UserError(f'Mask file {path} is not an image that can be decoded ({size} bytes): {_REMEDY}')


def mismatch(image: str | Path, image_size: Sequence[int], mask: str | Path, mask_size: Sequence[int]) -> UserError:
    """The error for an image and a mask of different (width, height)."""
    sizes = ['x'.join(map(str, size)) for size in (mask_size, image_size)]
    return UserError(f'Mask file {mask} is {sizes[0]} pixels, but its image {image} is {sizes[1]}: both must have the '
                     'same width and height')


def _unknown_colour(path: str | Path, found: Sequence[object], otherwise: str = '') -> UserError:
    return UserError(f'Mask file {path} has the colour {listing(found)}, which is no class of classes.txt: add a line '
                     f'"name R G B" for it, with the name ignore if it does not count{otherwise}')


def _colour_codes(rgb: np.ndarray) -> np.ndarray:
    red, green, blue = (rgb[..., channel].astype(np.int32) for channel in range(3))
    return red << 16 | green << 8 | blue


def _spans(values: np.ndarray) -> str:
    """Where a vector is true, as '0..4, 7, 11..13'."""
    edges = np.flatnonzero(np.diff(values, prepend=False, append=False)).tolist()
    starts, ends = edges[::2], [edge - 1 for edge in edges[1::2]]
    return ', '.join(str(a) if a == b else f'{a}..{b}' for a, b in zip(starts, ends))
