"""Log lines during long work."""
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar('Item')
_SECONDS = 5.


def progress(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Yields the items, and logs every five seconds ``what`` is being done and how many of ``total`` are done."""
    logged = time.monotonic()
    total = len(items) if total is None and isinstance(items, Sized) else total
    for index, item in enumerate(items):
        if time.monotonic() - logged > _SECONDS:
            _log(f'{what}: {index}' + (f' of {total}' if total else ''))
            logged = time.monotonic()
        yield item


def _log(text: str) -> None:
    """To the log of the run, or where nothing has loaded mmengine to the terminal."""
    if 'mmengine' in sys.modules:
        from mmengine.logging import print_log
        print_log(text, logger='current')
    else:
        print(text, file=sys.stderr, flush=True)
