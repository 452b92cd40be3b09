"""Log lines during long work."""
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from mmengine.logging import print_log

Item = TypeVar('Item')
_SECONDS = 5.


def progress(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Yields the items, and logs every five seconds ``what`` is being done and how many of ``total`` are done."""
    logged = time.monotonic()
    total = len(items) if total is None and isinstance(items, Sized) else total
    for index, item in enumerate(items):
        if time.monotonic() - logged > _SECONDS:
            print_log(f'{what}: {index}' + (f' of {total}' if total else ''), logger='current')
            logged = time.monotonic()
        yield item
