"""Lists and tables in plain characters, for terminals and files."""
from collections.abc import Sequence

WIDTH = 100
"""Columns that everything printed fits into."""


def listing(values: Sequence[object], shown: int = 4) -> str:
    """Joins the first ``shown`` values of a list and says how many more there are."""
    more = f', and {len(values) - shown} more' if len(values) > shown else ''
    return ', '.join(map(str, values[:shown])) + more


def shorten(text: str, width: int) -> str:
    """Cuts out the middle of a text: models often differ only in the end of their name, the width multiplier."""
    tail = width * 2 // 3
    return text if len(text) <= width else f'{text[:width - tail - 1]}~{text[-tail:]}'


def table(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> list[str]:
    """Lays out rows in columns, with a rule below the first, which is the head.

    Columns ``left`` are text, the widest shortened where it would not fit; the others, numbers, stand to the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while (sum(widths) + 2 * len(widths) - 2) > WIDTH:
        widths[max(left, key=widths.__getitem__)] -= 1
    lines = ['  '.join(shorten(cell, width).ljust(width) if i in left else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows]
    return [lines[0], '-' * max(map(len, lines)), *lines[1:]]
