"""Which models no other beats."""
from collections.abc import Sequence


def pareto_front(points: Sequence[dict]) -> list[int]:
    """Finds the points that no other beats: their indices, from the fastest to the most accurate.

    A point is beaten by another that is more accurate and not slower, or as accurate and faster. Times whose 95 %
    intervals overlap count as equal. Both intervals count as wide as the narrower, so that noise makes no point look
    as fast as a clean one. If both have it, time in yardsticks decides, which does not depend on the machine's speed.

    Args:
        points: Each with ``median`` and ``accuracy``, with ``low`` and ``high`` where the interval is known, and with
            ``by_yardstick``, the three of them in yardsticks, where those were measured.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i]['median'], points[i]['accuracy']))
    return [i for i in order if not any(_beats(other, points[i]) for other in points)]


def _beats(a: dict, b: dict) -> bool:
    ours, theirs = (a['by_yardstick'], b['by_yardstick']) if a.get('by_yardstick') and b.get('by_yardstick') else (a, b)
    slack = min(part.get('high', part['median']) - part.get('low', part['median']) for part in (ours, theirs))
    if a['accuracy'] == b['accuracy']:
        return ours['median'] + slack < theirs['median']
    return a['accuracy'] > b['accuracy'] and ours['median'] <= theirs['median'] + slack


def staircase(front: Sequence[tuple[float, float]], right: float) -> list[tuple[float, float]]:
    """Corners of the line that shows the best accuracy within each budget, and ends at ``right`` milliseconds.

    ``front`` has milliseconds and accuracy, from the fastest on.
    """
    corners: list[tuple[float, float]] = []
    for ms, accuracy in front:
        if corners:
            corners.append((ms, corners[-1][1]))
        corners.append((ms, accuracy))
    return [*corners, (right, corners[-1][1])] if corners else []
