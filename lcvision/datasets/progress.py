"""A line of a log now and then while something takes long."""
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from mmengine.logging import print_log

Item = TypeVar('Item')
_SECONDS = 5.


def progress(items: Sequence[Item], what: str) -> Iterator[Item]:
    """Yields the items, and tells how far it is after every five seconds.

    Args:
        items: Any sequence.
        what: What is being done.
    """
    told = time.monotonic()
    for index, item in enumerate(items):
        if time.monotonic() - told > _SECONDS:
            print_log(f'{what}: {index} of {len(items)}', logger='current')
            told = time.monotonic()
        yield item
