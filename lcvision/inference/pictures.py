"""Results on images."""
from typing import Any

import numpy as np

from lcvision.inference.results import Detections, LabelMap, Result
from lcvision.visualization import (
    ClassificationPainter,
    ClassificationScene,
    DetectionPainter,
    DetectionScene,
    SegmentationPainter,
    SegmentationScene,
)

_NO_BOXES, _NO_LABELS = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)


def draw_result(image: np.ndarray, result: Result, dataset_meta: dict[str, Any], score_thr: float) -> np.ndarray:
    """A picture of a result; the image stays as it is.

    Args:
        image: BGR uint8, shape (H, W, 3).
        result: Of this image.
        dataset_meta: ``classes`` and perhaps ``palette``.
        score_thr: Objects below are not drawn, 0..1.
    """
    image = image.copy()
    if isinstance(result, Detections):
        shown = result.above(score_thr)
        scene = DetectionScene(image.shape[:2], shown.boxes, shown.labels, shown.scores, _NO_BOXES, _NO_LABELS)
        return DetectionPainter(dataset_meta).paint(image, scene)
    if isinstance(result, LabelMap):
        return SegmentationPainter(dataset_meta).paint(image, SegmentationScene(result.labels.astype(np.int16), None))
    scores = ClassificationScene(result.label, float(result.scores[0]), ())
    return ClassificationPainter(dataset_meta).paint(image, scores)
