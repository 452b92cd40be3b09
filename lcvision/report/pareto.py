"""Which models nobody beats."""
from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Finds the points that no other beats.

    A point is beaten by another that is at least as quick and at least as accurate, and better in one of the two; of
    equal points none beats the other.

    Args:
        points: Milliseconds and accuracy of each.

    Returns:
        Indices of the front, from the quickest to the most accurate.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1]))
    front: list[int] = []
    for i in order:
        best = points[front[-1]] if front else None
        if best is None or points[i][1] > best[1] or points[i] == best:
            front.append(i)
    return front


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
