"""Reads a list of classes."""
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from lcvision.errors import UserError

# Three numbers and a name, from right to left: only so is there one way to read blanks and commas, however many.
_LINE = re.compile(r'(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\S.*)')
_IGNORE = 'ignore'
_MOST = 255

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class ClassList:
    """Classes of a data set.

    Attributes:
        names: In the order of the labels.
        colours: RGB colour of each, 0..255; None if they have none.
        ignored: Colours of what does not count.
    """

    names: tuple[str, ...]
    colours: tuple[Colour, ...] | None = None
    ignored: tuple[Colour, ...] = ()


def read_class_list(path: Path) -> ClassList:
    """Reads a text file with a class on each line: its name, and then, on all lines or none, its colour.

    The colour is three numbers 0..255, red, green and blue, after blanks or commas: ``traffic light 250 170 30``.
    Lines named ``ignore`` give colours that do not count; they are no class. Empty lines do not count either.

    Raises:
        UserError: It cannot be read, has no class or more than 255, a class or a colour twice, a colour out of range,
            or colours on some of its lines only.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding='utf-8-sig').splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path} cannot be read as text in UTF-8 ({error}): write one class on each line') from error
    entries = [_parse(path, line) for line in lines]
    names = [name for name, _ in entries if name != _IGNORE]
    if not 1 <= len(names) <= _MOST:
        raise UserError(f'{path} lists {len(names)} classes: write from 1 to {_MOST}, one on each line')
    _refuse_twice(path, 'class', names)
    bare = [name for name, colour in entries if colour is None]
    if bare and (len(bare) < len(entries) or _IGNORE in bare):
        raise UserError(f'{path} has no colour for {bare[-1]!r}: give a colour ("name R G B") on every line or on '
                        'none; in masks of indices 255 is what does not count')
    if bare:
        return ClassList(tuple(names))
    _refuse_twice(path, 'colour', [colour for _, colour in entries])
    return ClassList(tuple(names), tuple(colour for name, colour in entries if name != _IGNORE and colour),
                     tuple(colour for name, colour in entries if name == _IGNORE and colour))


def _parse(path: Path, line: str) -> tuple[str, Colour | None]:
    found = _LINE.fullmatch(line[::-1])
    if not found:
        return line, None
    *numbers, name = (text[::-1] for text in found.groups())
    blue, green, red = map(int, numbers)
    if max(red, green, blue) > 255:
        raise UserError(f'{path} gives {name!r} the colour {red} {green} {blue}: red, green and blue go from 0 to 255')
    return name, (red, green, blue)


def _refuse_twice(path: Path, what: str, values: list) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise UserError(f'{path} has the {what} {twice[0]!r} on more than one line: each must be unique')
