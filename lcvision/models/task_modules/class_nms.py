"""Suppression within classes, keeping the best of all classes."""
import numpy as np

# Boxes compared at a time, all pairs at once: few enough not to compare many more pairs than one by one would.
_BLOCK = 64


def class_nms(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, iou_threshold: float, class_top: int,
              max_per_img: int) -> np.ndarray:
    """Greedy non-maximum suppression of each class by itself.

    Walking down the scores of all classes together gives the same boxes as suppressing class by class and sorting
    afterwards, and it can stop at ``max_per_img``. mmcv's ``batched_nms`` shifts classes apart by large offsets, which
    rounds IoUs, and it computes every box; hence a function of our own.

    Args:
        boxes: (n, 4) float32 x1, y1, x2, y2.
        scores: (n,).
        labels: (n,) class of each box.
        iou_threshold: A box is dropped when its IoU with a kept box of its class is above this.
        class_top: Boxes a class that take part at the most, best first.
        max_per_img: Boxes kept at the most over all classes.

    Returns:
        Indices of the kept boxes, best first.

    Source: Paddle ``multiclass_nms``: areas without +1, strict comparison, no background class.
    """
    order = np.argsort(-scores, kind='stable')
    if len(order) > class_top:
        order = order[_rank_within(labels[order]) < class_top]
    sides = np.ascontiguousarray(boxes[order].T)
    rows = np.stack((*sides, (sides[2] - sides[0]) * (sides[3] - sides[1])))
    labels = labels[order]
    kept: list[int] = []
    for start in range(0, len(order), _BLOCK):
        if len(kept) >= max_per_img:
            break
        block = slice(start, start + _BLOCK)
        own, own_labels = rows[:, block], labels[block]
        among = np.packbits(_suppresses(own, own_labels, own, own_labels, iou_threshold), axis=1, bitorder='little')
        before = _suppresses(rows[:, kept], labels[kept], own, own_labels, iou_threshold).any(0)
        # Flags as one whole number, the first box lowest: the greedy walk then costs next to nothing.
        dropped = int.from_bytes(np.packbits(before, bitorder='little').tobytes(), 'little')
        for index in range(len(own_labels)):
            if not dropped >> index & 1:
                kept.append(start + index)
                dropped |= int.from_bytes(among[index].tobytes(), 'little')
    return order[kept[:max_per_img]]


def _suppresses(rows: np.ndarray, labels: np.ndarray, others: np.ndarray, other_labels: np.ndarray,
                iou_threshold: float) -> np.ndarray:
    """Whether each box overlaps each of the others too much: (5, n) and (5, m) -> (n, m).

    The five rows are x1, y1, x2, y2 and the area.
    """
    x1, y1, x2, y2, area = rows[:, :, None]
    # In place: memory that is new at every step costs more than the arithmetic.
    inter, height = np.minimum(others[2], x2), np.minimum(others[3], y2)
    buffer = np.maximum(others[0], x1)
    inter -= buffer
    height -= np.maximum(others[1], y1, out=buffer)
    np.maximum(inter, 0, out=inter)
    inter *= np.maximum(height, 0, out=height)
    union = np.add(others[4], area, out=height)
    union -= inter
    inter /= np.maximum(union, np.finfo(np.float32).tiny, out=union)
    return (inter > np.float32(iou_threshold)) & (other_labels == labels[:, None])


def _rank_within(labels: np.ndarray) -> np.ndarray:
    """For each position, how many equal labels stand before it."""
    order = np.argsort(labels, kind='stable')
    ordered = labels[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    ranks = np.empty(len(labels), dtype=np.int64)
    ranks[order] = np.arange(len(labels)) - np.repeat(starts, lengths)
    return ranks
