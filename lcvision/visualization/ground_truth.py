"""Where the true boxes of a test sample lie."""
from typing import Any

import numpy as np
from mmcv.transforms import LoadAnnotations
from mmengine.structures import BaseDataElement


def annotations_are_resized(dataset: Any) -> bool:
    """Tells whether a dataset's pipeline resizes the annotations together with the image.

    A pipeline that loads them after ``Resize``, as mmdet's test pipelines do, leaves them in pixels of the original
    image; one that loads them before brings them to those of the network's input.

    Args:
        dataset: One with a ``pipeline``, or a wrapper around such.
    """
    while not hasattr(dataset, 'pipeline'):
        inner = getattr(dataset, 'dataset', None) or next(iter(getattr(dataset, 'datasets', [])), None)
        if inner is None:
            return False
        dataset = inner
    transforms = list(getattr(dataset.pipeline, 'transforms', []))
    loads = [index for index, transform in enumerate(transforms) if isinstance(transform, LoadAnnotations)]
    return bool(loads) and any('Resize' in type(transform).__name__ for transform in transforms[loads[0]:])


def true_boxes(sample: BaseDataElement, resized: bool) -> tuple[np.ndarray, np.ndarray]:
    """Reads the annotations of a sample.

    Args:
        sample: With or without ``gt_instances``.
        resized: Whether they are in pixels of the network's input; the sample's ``scale_factor`` leads back.

    Returns:
        x1, y1, x2, y2 in pixels of the original image, float32, shape (N, 4), and labels, int, shape (N,); N is 0
        without annotations.
    """
    instances = sample.get('gt_instances')
    if instances is None or 'bboxes' not in instances:
        return np.zeros((0, 4), np.float32), np.zeros(0, int)
    boxes = instances.bboxes
    boxes = getattr(boxes, 'tensor', boxes).detach().cpu().numpy().astype(np.float32).reshape(-1, 4)
    if resized:
        x_scale, y_scale = sample.metainfo.get('scale_factor', (1, 1))[:2]
        boxes = boxes / np.array([x_scale, y_scale] * 2, np.float32)
    labels = instances.labels.cpu().numpy() if 'labels' in instances else np.zeros(len(boxes), int)
    return boxes, labels
