"""Results on images."""
from typing import Any

import numpy as np

from lcvision.inference.results import Classification, Detections, LabelMap, Result
from lcvision.visualization import (
    ClassificationPainter,
    ClassificationScene,
    DetectionPainter,
    DetectionScene,
    SegmentationPainter,
    SegmentationScene,
)

_NO_BOXES, _NO_LABELS = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)


class Pictures:
    """Draws results with the painters that draw evaluations.

    Args:
        dataset_meta: ``classes`` and perhaps ``palette``.
    """

    def __init__(self, dataset_meta: dict[str, Any]):
        self._detection = DetectionPainter(dataset_meta)
        self._segmentation = SegmentationPainter(dataset_meta)
        self._classification = ClassificationPainter(dataset_meta)

    def draw(self, image: np.ndarray, result: Result, score_thr: float) -> np.ndarray:
        """A picture of a result; the image stays as it is.

        Args:
            image: BGR uint8, shape (H, W, 3).
            result: Of this image.
            score_thr: Objects below are not drawn, 0..1.
        """
        image = image.copy()
        if isinstance(result, Detections):
            shown = result.above(score_thr)
            scene = DetectionScene(image.shape[:2], shown.boxes, shown.labels, shown.scores, _NO_BOXES, _NO_LABELS)
            return self._detection.paint(image, scene)
        if isinstance(result, LabelMap):
            return self._segmentation.paint(image, SegmentationScene(result.labels.astype(np.int16), None))
        assert isinstance(result, Classification)
        return self._classification.paint(image, ClassificationScene(result.label, float(result.scores[0]), ()))
