"""Suppression within classes, keeping the best of all classes."""
import numpy as np


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
    boxes, labels = boxes[order], labels[order]
    x1, y1, x2, y2 = np.ascontiguousarray(boxes.T)
    areas = (x2 - x1) * (y2 - y1)
    alive = np.ones(len(order), dtype=bool)
    kept: list[int] = []
    while len(kept) < max_per_img:
        ahead = alive[kept[-1] + 1:] if kept else alive
        step = int(ahead.argmax()) if len(ahead) else 0
        if not len(ahead) or not ahead[step]:
            break
        best = step + (kept[-1] + 1 if kept else 0)
        kept.append(best)
        rest = slice(best + 1, None)
        width = np.minimum(x2[rest], x2[best]) - np.maximum(x1[rest], x1[best])
        height = np.minimum(y2[rest], y2[best]) - np.maximum(y1[rest], y1[best])
        inter = np.maximum(width, 0) * np.maximum(height, 0)
        union = np.maximum(areas[rest] + areas[best] - inter, np.finfo(np.float32).tiny)
        alive[rest] &= (inter / union <= np.float32(iou_threshold)) | (labels[rest] != labels[best])
    return order[kept]


def _rank_within(labels: np.ndarray) -> np.ndarray:
    """For each position, how many equal labels stand before it."""
    order = np.argsort(labels, kind='stable')
    ordered = labels[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    ranks = np.empty(len(labels), dtype=np.int64)
    ranks[order] = np.arange(len(labels)) - np.repeat(starts, lengths)
    return ranks
