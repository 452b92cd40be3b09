"""Work on several items at a time, whose results come in the order of the items."""
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')
# Items of each thread that are in work, or done and waiting for an earlier one.
_AHEAD = 3


def in_order(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """Results of ``work``, in the order of the items; with one thread, each as it is asked for.

    With several, three items for each thread are taken ahead of the results. What an item raises is raised at its
    place, and ends the rest, as Ctrl-C does.
    """
    if threads == 1:
        yield from map(work, items)
        return
    pool, waiting = ThreadPoolExecutor(threads), deque[Future[Result]]()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) == threads * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
