"""The random crop of the reference PicoDet, and the annotations that it never sees."""
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from lcvision.registry import TRANSFORMS

_INSTANCE_KEYS = ('gt_bboxes', 'gt_bboxes_labels', 'gt_ignore_flags', 'gt_masks', 'gt_instances_ids')



@TRANSFORMS.register_module()
class DropIgnored(BaseTransform):
    """Removes the objects whose ``gt_ignore_flags`` entry is set, such as COCO's crowds.

    It comes right after ``LoadAnnotations``: a crowd box left in the sample would still decide which crops
    :class:`SSDCrop` accepts.

    Source: the reference never loads crowd annotations.
    """

    def transform(self, results: dict) -> dict:
        """Filters the objects of an mmdet data dict, in place."""
        flags = results.get('gt_ignore_flags')
        if flags is not None and np.any(flags):
            _select(results, np.logical_not(flags))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


@TRANSFORMS.register_module()
class SSDCrop(BaseTransform):
    """Crops a random window that overlaps some object well enough, as SSD does.

    The thresholds and "no crop" are tried in random order. For a threshold, the first of ``attempts`` random windows
    is taken whose IoU with at least one box reaches the threshold and that holds at least one box centre; when none
    does, the next threshold is tried. A box stays when its centre lies inside the window, clipped to it. An image
    without boxes is returned unchanged.

    Args:
        thresholds: IoU values in [0, 1], each as likely as the others to be tried first.
        aspect_ratio: Smallest and largest width-to-height ratio of the window relative to that of the image; 1 lies
            between them. A window of scale s is limited to [s^2, s^-2] as well, so that it fits.
        scaling: Smallest and largest square root of the window's share of the image area, in (0, 1].
        attempts, allow_no_crop: Windows drawn per threshold, and whether leaving the image whole is a choice.

    Source: RandomCrop of the reference reader (SSD, Liu et al. 2016, section 2.2, with the scale and ratio rule of
        the reference).

    Differs: all windows of a threshold are drawn at once, which leaves the distribution as it is and draws other
        random numbers. A window of an image too small to hold one pixel of it is rejected, not an error.
    """

    def __init__(self, thresholds: Sequence[float] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9),
                 aspect_ratio: tuple[float, float] = (0.5, 2.0), scaling: tuple[float, float] = (0.3, 1.0),
                 attempts: int = 50, allow_no_crop: bool = True) -> None:
        if not all(0 <= threshold <= 1 for threshold in thresholds):
            raise ValueError(f'SSDCrop: thresholds are IoU values from 0 to 1, got {thresholds}.')
        if not 0 < aspect_ratio[0] <= 1 <= aspect_ratio[1]:
            raise ValueError(f'SSDCrop: aspect_ratio needs 0 < lowest <= 1 <= highest, got {aspect_ratio}.')
        if not 0 < scaling[0] <= scaling[1] <= 1:
            raise ValueError(f'SSDCrop: scaling needs 0 < lowest <= highest <= 1, got {scaling}.')
        if attempts < 1:
            raise ValueError(f'SSDCrop: attempts must be 1 or more, got {attempts}.')
        self.thresholds, self.aspect_ratio, self.scaling = tuple(thresholds), aspect_ratio, scaling
        self.attempts, self.allow_no_crop = attempts, allow_no_crop

    def transform(self, results: dict) -> dict:
        """Crops ``img`` of an mmdet data dict to a view; ``gt_bboxes``, its companions and ``gt_seg_map`` follow."""
        boxes = _corners(results)
        if len(boxes) == 0:
            return results
        choices = [*self.thresholds, None] if self.allow_no_crop else list(self.thresholds)
        for choice in np.random.permutation(len(choices)):
            if choices[choice] is None:
                return results
            windows = self._draw_windows(*results['img'].shape[:2])
            inside = _centre_inside(boxes, windows)
            accepted = inside.any(1) & (_iou(boxes, windows).max(1) >= np.float32(choices[choice]))
            if accepted.any():
                first = accepted.argmax()
                return self._crop(results, boxes, windows[first], inside[first])
        return results

    def _draw_windows(self, height: int, width: int) -> np.ndarray:
        scale = np.random.uniform(*self.scaling, self.attempts)
        ratio = np.random.uniform(np.maximum(self.aspect_ratio[0], scale**2),
                                  np.minimum(self.aspect_ratio[1], scale**-2))
        window_height = (height * scale / np.sqrt(ratio)).astype(int)
        window_width = (width * scale * np.sqrt(ratio)).astype(int)
        top = np.random.randint(0, np.maximum(height - window_height, 1))
        left = np.random.randint(0, np.maximum(width - window_width, 1))
        return np.stack((left, top, left + window_width, top + window_height), 1)

    @staticmethod
    def _crop(results: dict, boxes: np.ndarray, window: np.ndarray, keep: np.ndarray) -> dict:
        left, top, right, bottom = window.tolist()
        for key in ('img', 'gt_seg_map'):
            if results.get(key) is not None:
                results[key] = results[key][top:bottom, left:right]
        results['img_shape'] = results['img'].shape[:2]
        _select(results, keep)
        origin = np.array((left, top) * 2, np.float32)
        corners = np.clip(boxes[keep], origin, np.array((right, bottom) * 2, np.float32)) - origin
        typed = hasattr(results['gt_bboxes'], 'tensor')
        results['gt_bboxes'] = type(results['gt_bboxes'])(corners) if typed else corners
        if results.get('gt_masks') is not None:
            results['gt_masks'] = results['gt_masks'].crop(window)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(thresholds={self.thresholds}, aspect_ratio={self.aspect_ratio}, '
                f'scaling={self.scaling}, attempts={self.attempts}, allow_no_crop={self.allow_no_crop})')


def _select(results: dict, keep: np.ndarray) -> None:
    """Keeps the objects of an mmdet data dict, in place, where ``keep``, bool (N,), is set."""
    index = np.flatnonzero(keep)
    for key in _INSTANCE_KEYS:
        if results.get(key) is not None:
            results[key] = results[key][index]


def _corners(results: dict) -> np.ndarray:
    """Boxes of a sample as x1, y1, x2, y2, float32, (N, 4), whether they are mmdet boxes, an array or missing."""
    boxes = results.get('gt_bboxes')
    if boxes is None:
        return np.zeros((0, 4), np.float32)
    boxes = boxes.tensor.numpy() if hasattr(boxes, 'tensor') else boxes
    return np.asarray(boxes, np.float32).reshape(-1, 4)


def _clipped(boxes: np.ndarray, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    windows = windows[:, None].astype(np.float32)
    return np.maximum(boxes[:, :2], windows[..., :2]), np.minimum(boxes[:, 2:], windows[..., 2:])


def _centre_inside(boxes: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Whether a box has its centre and some area in a window: (windows, boxes)."""
    low, high = _clipped(boxes, windows)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    held = (windows[:, None, :2] <= centres) & (centres < windows[:, None, 2:])
    return (held & (low < high)).all(-1)


def _iou(boxes: np.ndarray, windows: np.ndarray) -> np.ndarray:
    low, high = _clipped(boxes, windows)
    overlap = np.maximum(high - low, 0).prod(-1)
    box_area = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    window_area = (windows[:, 2:] - windows[:, :2]).prod(-1, keepdims=True).astype(np.float32)
    return overlap / (box_area + window_area - overlap + np.float32(1e-10))
