"""Where the names of points go, so that none covers another."""
from collections.abc import Iterable, Sequence

# Left, lower, right and upper edge, in pixels.
Box = tuple[float, float, float, float]
# Direction of the label's nearest part as seen from its point, the preferred first; then the same further out.
_DIRECTIONS = ((1, 0), (1, 1), (1, -1), (0, 1), (0, -1), (-1, 0), (-1, 1), (-1, -1))
_DISTANCES = (1., 2.6, 4.4, 6.5)


def place_labels(points: Sequence[tuple[float, float]], sizes: Sequence[tuple[float, float]], bounds: Box,
                 obstacles: Sequence[Box] = (), lines: Sequence[Box] = (), gap: float = 9.) -> list[Box | None]:
    """Finds a box for each label beside its point, None where there is no room; the first labels choose first.

    Args:
        points, sizes: Where the marks are, and width and height of each label, in pixels.
        bounds, gap: Where labels may be, and pixels between a point and the nearest place of its label.
        obstacles, lines: What labels must not cover, such as marks and each other, and what only for want of room.
    """
    placed: list[Box | None] = []
    for point, size in zip(points, sizes, strict=True):
        taken = [*obstacles, *filter(None, placed)]
        free = [box for box in _candidates(point, size, gap) if bounds[0] <= box[0] and bounds[1] <= box[1]
                and box[2] <= bounds[2] and box[3] <= bounds[3] and not _covers(box, taken)]
        placed.append(next((box for box in free if not _covers(box, lines)), free[0] if free else None))
    return placed


def leader(point: tuple[float, float], box: Box, gap: float = 9.) -> tuple[float, float] | None:
    """End of the thin line from a point to its label's box; None where the label is so near that it needs none."""
    x, y = min(max(point[0], box[0]), box[2]), min(max(point[1], box[1]), box[3])
    return (x, y) if max(abs(x - point[0]), abs(y - point[1])) > 1.5 * gap else None


def _candidates(point: tuple[float, float], size: tuple[float, float], gap: float) -> Iterable[Box]:
    for distance in _DISTANCES:
        for right, up in _DIRECTIONS:
            away = gap * distance * (0.75 if right and up else 1.)
            left = point[0] + right * away + (right - 1) * size[0] / 2
            low = point[1] + up * away + (up - 1) * size[1] / 2
            yield left, low, left + size[0], low + size[1]


def _covers(a: Box, others: Iterable[Box]) -> bool:
    return any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for b in others)
