"""Suppression within classes, keeping the best of all classes."""
import numpy as np

# Boxes compared at a time, all pairs at once: few enough not to compare many more pairs than one by one would.
_BLOCK = 192


def class_nms(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, iou_threshold: float, class_top: int,
              max_per_img: int) -> np.ndarray:
    """Greedy non-maximum suppression of each class by itself; returns indices of the boxes that stay, best first.

    Walking down the scores of all classes together gives the same boxes as suppressing class by class and sorting
    afterwards, and it can stop at ``max_per_img``. mmcv's ``batched_nms`` shifts classes apart by large offsets, which
    rounds IoUs, and it computes every box; hence a function of our own.

    Args:
        boxes, scores, labels: (n, 4) float32 x1, y1, x2, y2; (n,); (n,) classes.
        iou_threshold: A box is dropped when its IoU with a better box of its class that stays is above this.
        class_top, max_per_img: Most boxes of a class that take part, and most boxes of all classes that stay.

    Source: Paddle ``multiclass_nms``: areas without +1, strict comparison, no background class.
    """
    order = np.argsort(-scores, kind='stable')
    if len(order) > class_top:
        order = order[_rank_within(labels[order]) < class_top]
    sides = np.ascontiguousarray(boxes[order].T)
    rows = np.stack((*sides, (sides[2] - sides[0]) * (sides[3] - sides[1])))
    labels = labels[order]
    kept = np.empty(0, np.int64)
    for start in range(0, len(order), _BLOCK):
        if len(kept) >= max_per_img:
            break
        block = np.arange(start, min(start + _BLOCK, len(order)))
        if len(kept):
            block = np.delete(block, _suppressing_pairs(rows, labels, kept, block, iou_threshold)[1])
        kept = np.concatenate((kept, block[_greedy(rows, labels, block, iou_threshold)]))
    return order[kept[:max_per_img]]


def _greedy(rows: np.ndarray, labels: np.ndarray, block: np.ndarray, iou_threshold: float) -> np.ndarray:
    """Which boxes of a block, best first, no better one of it suppresses."""
    alive = [True] * len(block)
    # Pairs come by their better box, whose own fate is then known: all that could suppress it came before.
    for better, worse in np.transpose(_suppressing_pairs(rows, labels, block, block, iou_threshold)).tolist():
        if alive[better]:
            alive[worse] = False
    return np.array(alive, bool)


def _suppressing_pairs(rows: np.ndarray, labels: np.ndarray, better: np.ndarray, worse: np.ndarray,
                       iou_threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of one class that overlap too much, as places in ``better`` and ``worse``; ``rows`` are sides and area."""
    # Both places of a flat index: numpy's search in two dimensions takes several times as long.
    first, second = np.divmod(np.flatnonzero(labels[better][:, None] == labels[worse]), len(worse))
    ordered = better[first] < worse[second]
    first, second = first[ordered], second[ordered]
    x1, y1, x2, y2, area = rows[:, better[first]]
    other = rows[:, worse[second]]
    width = np.minimum(other[2], x2) - np.maximum(other[0], x1)
    height = np.minimum(other[3], y2) - np.maximum(other[1], y1)
    inter = np.maximum(width, 0) * np.maximum(height, 0)
    union = np.maximum(other[4] + area - inter, np.finfo(np.float32).tiny)
    over = inter / union > np.float32(iou_threshold)
    return first[over], second[over]


def _rank_within(labels: np.ndarray) -> np.ndarray:
    """For each position, how many equal labels stand before it."""
    order = np.argsort(labels, kind='stable')
    ordered = labels[order]
    ranks = np.empty(len(labels), dtype=np.int64)
    ranks[order] = np.arange(len(labels)) - ordered.searchsorted(ordered)
    return ranks
