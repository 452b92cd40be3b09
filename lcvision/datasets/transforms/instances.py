"""What every geometric transform does to mmdet's per-object entries."""
import numpy as np

INSTANCE_KEYS = ('gt_bboxes', 'gt_bboxes_labels', 'gt_ignore_flags', 'gt_masks', 'gt_instances_ids')


def box_corners(results: dict) -> np.ndarray:
    """Reads the boxes of a sample as plain numbers.

    Args:
        results: mmdet data dict; ``gt_bboxes`` may be mmdet boxes, an array or missing.

    Returns:
        Corners x1, y1, x2, y2 in pixels, float32, shape (N, 4); N is 0 without boxes.
    """
    boxes = results.get('gt_bboxes')
    if boxes is None:
        return np.zeros((0, 4), np.float32)
    boxes = boxes.tensor.numpy() if hasattr(boxes, 'tensor') else boxes
    return np.asarray(boxes, np.float32).reshape(-1, 4)


def select_instances(results: dict, keep: np.ndarray) -> None:
    """Keeps some of the objects of a sample, in place.

    Args:
        results: mmdet data dict whose per-object entries have N rows.
        keep: True for the objects that stay, shape (N,).
    """
    index = np.flatnonzero(keep)
    for key in INSTANCE_KEYS:
        if results.get(key) is not None:
            results[key] = results[key][index]
