"""Candidates of similar resources, which compete with each other."""
from collections.abc import Sequence
from statistics import fmean, pstdev


def loads(*resources: Sequence[float]) -> list[float]:
    """Adds up how far each candidate's resources are from the pool's mean, in standard deviations (equation 4).

    Args:
        resources: Numbers of the candidates for each kind, such as parameters and multiply-adds.
    """
    scores = [[(value - fmean(kind)) / (pstdev(kind) or 1.) for value in kind] for kind in resources]
    return [sum(parts) for parts in zip(*scores, strict=True)]


def make_groups(loads: Sequence[float], size: int) -> list[list[int]]:
    """Cuts the candidates, the heaviest first, into groups of a size; the last one has what is left."""
    order = sorted(range(len(loads)), key=lambda place: (-loads[place], place))
    return [order[start:start + size] for start in range(0, len(order), size)]
