"""Says aloud which of several candidates was taken."""
from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log

from lcvision.text import listing


def first_of(candidates: Sequence[Path], what: str, why: str) -> Path:
    """Takes the first; where there are others, the log says so.

    Args:
        candidates: Files or folders, the likeliest first.
        what: What is taken from it.
        why: The rule by which it is the first.
    """
    if len(candidates) > 1:
        print_log(f'{what}: {candidates[0]} is taken, not {listing(candidates[1:])} ({why})', logger='current')
    return candidates[0]
