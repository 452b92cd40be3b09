"""Greedy suppression on a CPU in numpy, with the signature and the results of mmcv's compiled kernel.

Serves and dies with mmcv_ops.py, which puts it into the stand-in for `mmcv._ext`. It is reached through `mmcv.ops.nms`
and `batched_nms`, whose documentation holds.

Arithmetic is float32 in the order of operations of mmcv 2.1.0's CPU code, so that a pair of boxes at the threshold
falls on the same side.
"""
import numpy as np
import torch
from torch import Tensor

# Winners compared with the rest in one go, and how many of the rest: the buffers of one step stay in the L2 cache.
_BLOCK = 128
_CHUNK = 1024


def nms(bboxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Indices (k,) of the best boxes, best first: one goes if its IoU with a better kept one is above the threshold.

    ``offset``, 0 or 1, is added to widths and heights.

    Differs: boxes in half precision are compared in float32 and doubles as doubles; mmcv's CPU code refuses both.
    """
    # This very call decides the order among equal scores in mmcv too; a stable sort would give other boxes.
    order = scores.sort(0, descending=True)[1]
    keep = _survivors(_corners(bboxes[order]), np.float32(iou_threshold), offset)
    return order[torch.from_numpy(keep).to(order.device)]


def _corners(boxes: Tensor) -> np.ndarray:
    """Boxes as (4, n): one contiguous row for each side."""
    boxes = boxes.detach().cpu()
    return np.ascontiguousarray((boxes if boxes.dtype == torch.float64 else boxes.float()).numpy().T)


def _survivors(corners: np.ndarray, threshold: np.float32, offset: int) -> np.ndarray:
    """Mask over boxes sorted by falling score."""
    keep = np.zeros(corners.shape[1], dtype=bool)
    x1, y1, x2, y2 = corners
    boxes = np.concatenate([corners, ((x2 - x1 + offset) * (y2 - y1 + offset))[None]])
    # Boxes apart have IoU 0, which a negative threshold would count as overlap.
    groups = _separate(corners, offset) if threshold >= 0 else [np.arange(corners.shape[1])]
    for group in groups:
        rest = boxes[:, group]
        while group.size:
            kept = _greedy(_iou(rest[:, :_BLOCK], rest[:, :_BLOCK], offset) > threshold)
            keep[group[:_BLOCK][kept]] = True
            winners, rest, group = rest[:, :_BLOCK][:, kept], rest[:, _BLOCK:], group[_BLOCK:]
            if group.size:
                free = ~_any_above(winners, rest, threshold, offset)
                rest, group = rest[:, free], group[free]
    return keep


def _separate(corners: np.ndarray, offset: int) -> list[np.ndarray]:
    """Splits boxes into groups, each in order, that do not overlap in x: the classes, which batched NMS shifts."""
    count = corners.shape[1]
    if count <= 2 * _BLOCK:
        return [np.arange(count)]
    by_left = corners[0].argsort(kind='stable')
    left, reach = corners[0][by_left], np.maximum.accumulate(corners[2][by_left])
    # The same arithmetic as the width of an overlap: the rounding cannot tell them apart.
    starts = 1 + np.flatnonzero(reach[:-1] - left[1:] + offset <= 0)
    # Groups of a few boxes would cost more in calls than they save in pairs.
    starts = starts[np.unique(starts // _BLOCK, return_index=True)[1]]
    return [np.sort(group) for group in np.split(by_left, starts)]


def _any_above(winners: np.ndarray, rest: np.ndarray, threshold: np.float32, offset: int) -> np.ndarray:
    """Mask over `rest`: overlaps one of the winners too much."""
    hit = np.empty(rest.shape[1], dtype=bool)
    for start in range(0, hit.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        hit[part] = (_iou(winners, rest[:, part], offset) > threshold).any(axis=0)
    return hit


def _greedy(above: np.ndarray) -> np.ndarray:
    """Mask of the rows that stay when each row that stays drops the later ones marked in it."""
    alive = np.ones(above.shape[0], dtype=bool)
    above = np.triu(above, k=1)
    for row in np.flatnonzero(above.any(axis=1)):
        if alive[row]:
            alive[above[row]] = False
    return alive


def _iou(first: np.ndarray, second: np.ndarray, offset: int) -> np.ndarray:
    """IoU of (5, k) boxes (corners and area) with (5, m) boxes, (k, m)."""
    x1, y1, x2, y2, area = first[:, :, None]
    left = np.maximum(x1, second[0])
    inter = np.minimum(x2, second[2])
    inter -= left
    top = np.maximum(y1, second[1], out=left)
    height = np.minimum(y2, second[3])
    height -= top
    if offset:
        inter += offset
        height += offset
    np.maximum(inter, 0, out=inter)
    np.maximum(height, 0, out=height)
    inter *= height
    union = np.add(area, second[4], out=height)
    union -= inter
    # Two boxes without area give 0/0: not a number, above no threshold, as in the compiled code.
    with np.errstate(divide='ignore', invalid='ignore'):
        inter /= union
    return inter
