"""Which models nobody beats."""
from collections.abc import Sequence


def pareto_front(points: Sequence[dict]) -> list[int]:
    """Finds the points that no other beats.

    A point is beaten by another that is more accurate and not slower, or as accurate and quicker. Milliseconds whose
    95 % intervals overlap count as equal: a difference that is noise decides nothing.

    Args:
        points: Each with ``median`` and ``accuracy``, and ``low`` and ``high`` where the interval is known.

    Returns:
        Indices of the front, from the quickest to the most accurate.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i]['median'], points[i]['accuracy']))
    return [i for i in order if not any(_beats(other, points[i]) for other in points)]


def _beats(a: dict, b: dict) -> bool:
    if a['accuracy'] == b['accuracy']:
        return a.get('high', a['median']) < b.get('low', b['median'])
    return a['accuracy'] > b['accuracy'] and a.get('low', a['median']) <= b.get('high', b['median'])


def staircase(front: Sequence[tuple[float, float]], right: float) -> list[tuple[float, float]]:
    """Corners of the line that shows the best accuracy within each budget.

    Args:
        front: Milliseconds and accuracy, from the quickest on.
        right: Milliseconds where the line ends.

    Returns:
        Corners, from the quickest point to ``right``.
    """
    corners: list[tuple[float, float]] = []
    for ms, accuracy in front:
        if corners:
            corners.append((ms, corners[-1][1]))
        corners.append((ms, accuracy))
    return [*corners, (right, corners[-1][1])] if corners else []
