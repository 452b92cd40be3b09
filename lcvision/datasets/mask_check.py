"""Checks images and masks before anything runs."""
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lcvision.datasets.mask_coding import Colour, MaskCoding, mask_size, mismatch, read_mask, values_of
from lcvision.errors import UserError
from lcvision.image_file import upright_size
from lcvision.progress import progress

# Read in a few seconds. Of larger sets an even sample is read; the loading transform checks every mask again.
PIXELS = 400_000_000

Size = tuple[int, int]


@dataclass(frozen=True)
class Checked:
    """What is in a set of images and masks.

    Attributes:
        sizes: How many images there are of each (width, height).
        labels, num_read: The labels that occur in the masks that were read, and how many masks these are.
        ignored: Whether ``ignore_index`` occurs in these files although no list of classes says what it means.
    """

    sizes: Counter[Size]
    labels: frozenset[int]
    ignored: bool
    num_read: int


def check_masks(pairs: Sequence[tuple[Path, Path]], coding: MaskCoding, place: str) -> Checked:
    """Checks that every image has a mask of its size, and that the masks hold labels.

    Files are opened for their size and format only; then masks of 400 million pixels in all are read. ``place`` is
    where they are from, for the messages.
    """
    if not pairs:
        raise UserError(f'{place} is empty: it has no images to read')
    missing = [(image, mask) for image, mask in pairs if not mask.is_file()]
    if missing:
        raise UserError(f'{len(missing)} of {len(pairs)} images of {place} have no mask; the first is '
                        f'{missing[0][0]}, whose mask {missing[0][1]} is missing: add the masks or remove the images')
    sizes: Counter[Size] = Counter()
    for image, mask in progress(pairs, f'comparing images and masks of {place}'):
        size, other = image_size(image), mask_size(mask)
        if size != other:
            raise mismatch(image, size, mask, other)
        sizes[size] += 1
    total = sum(width * height * count for (width, height), count in sizes.items())
    chosen = [mask for _, mask in pairs[::-(-total // PIXELS)]]
    labels: set[int] = set()
    ignored = False
    coloured: dict[int, tuple[Colour, Path]] = {}
    for path in progress(chosen, f'reading masks of {place}'):
        pixels, table = read_mask(path)
        labels.update(values_of(coding.labels(pixels, path, table)))
        if coding.colours is None or (pixels.ndim == 2 and not table):
            indices = values_of(pixels if pixels.ndim == 2 else pixels[..., 0])
            ignored |= coding.ignore_index in indices and not coding.ignored_listed
            _compare({index: colour for index, colour in enumerate(table or ()) if index in indices}, path, coloured)
    return Checked(sizes, frozenset(labels), ignored, len(chosen))


def _compare(found: dict[int, Colour], path: Path, before: dict[int, tuple[Colour, Path]]) -> None:
    """Adds the colours of a file's indices to those of the files before, and refuses different ones."""
    for index, colour in found.items():
        other, first = before.setdefault(index, (colour, path))
        if colour != other:
            raise UserError(f'the index {index} has the colour {other} in mask file {first}, but {colour} in {path}: '
                            'if the colours tell the classes, write a classes.txt with "name R G B" on each line; if '
                            'the indices do, save all masks with the same colour table')


def image_size(path: Path) -> Size:
    """Width and height of an image as it is loaded, turned upright; refuses one that cannot be opened."""
    try:
        return upright_size(f'Image file {path}', path)
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f'Image file {path} is not an image that can be decoded: restore the file or remove it '
                        'together with its mask') from error
