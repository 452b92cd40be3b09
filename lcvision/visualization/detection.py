"""Predicted and true boxes on an image."""
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.structures import BaseDataElement

from lcvision.visualization.boxes import LabelLayer, draw_box, draw_dashed_box, pixel_corners
from lcvision.visualization.ground_truth import true_boxes
from lcvision.visualization.painter import Painter
from lcvision.visualization.palette import Colour
from lcvision.visualization.style import Style

_LONGEST_LEGEND = 24


@dataclass(frozen=True)
class DetectionScene:
    """What is to be drawn on one image; boxes are x1, y1, x2, y2 in pixels of the original image.

    Attributes:
        shape: Height and width of the original image in pixels.
        boxes: Predictions, the best first, shape (N, 4).
        labels: Their classes, shape (N,).
        scores: Their scores, 0..1, shape (N,).
        true_boxes: Annotations, shape (M, 4).
        true_labels: Their classes, shape (M,).
    """

    shape: tuple[int, int]
    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    true_boxes: np.ndarray
    true_labels: np.ndarray


class DetectionPainter(Painter[DetectionScene]):
    """Draws predictions as solid boxes in the colours of their classes, annotations as thin dashed ones.

    A label says class and score. Where boxes crowd, a label moves along its box, is cut to the score, and is left out
    at last, the best predictions choosing first; labels lie inside the image and never on each other.

    Args:
        dataset_meta: A dataset's ``metainfo`` with ``classes`` and perhaps ``palette``, RGB of 0..255.
        score_thr: Predictions with a lower score are not drawn, 0..1.
        annotations_resized: Whether ``gt_instances`` are in pixels of the network's input, instead of those of the
            original image as the predictions are.
    """

    def __init__(self, dataset_meta: Mapping[str, Any], score_thr: float = 0.3,
                 annotations_resized: bool = False) -> None:
        super().__init__(dataset_meta)
        self.score_thr = score_thr
        self.annotations_resized = annotations_resized

    def read(self, sample: BaseDataElement) -> DetectionScene:
        """Takes a scene out of a data sample.

        Args:
            sample: With ``pred_instances`` in pixels of the original image, ``ori_shape``, and perhaps
                ``gt_instances``.
        """
        found = sample.pred_instances.numpy()
        boxes = np.asarray(getattr(found.bboxes, 'tensor', found.bboxes), np.float32).reshape(-1, 4)
        keep = np.flatnonzero((found.scores >= self.score_thr) & np.isfinite(boxes).all(axis=1))
        keep = keep[np.argsort(-found.scores[keep], kind='stable')]
        true, true_labels = true_boxes(sample, self.annotations_resized)
        height, width = sample.ori_shape[:2]
        return DetectionScene((height, width), boxes[keep], found.labels[keep], found.scores[keep], true, true_labels)

    def paint(self, image: np.ndarray, scene: DetectionScene, style: Style | None = None) -> np.ndarray:
        """Draws a scene."""
        style = style or Style.for_image(image.shape)
        (height, width), (original_height, original_width) = image.shape[:2], scene.shape
        scale = np.array([width / original_width, height / original_height] * 2)
        corners = pixel_corners(scene.boxes * scale, image.shape)
        for box in pixel_corners(scene.true_boxes * scale, image.shape):
            draw_dashed_box(image, box, style.dash)
        # The best prediction is drawn last and lies on top.
        for index in reversed(range(len(corners))):
            draw_box(image, corners[index], self.colour(scene.labels[index]), style.line)
        layer = LabelLayer(image, style)
        for box, label, score in zip(corners, scene.labels, scene.scores, strict=True):
            layer.add(box, (f'{self.name(label)} {score:.2f}', f'{score:.2f}'), self.colour(label))
        return image

    def variety(self, scene: DetectionScene) -> int:
        """Classes annotated or predicted."""
        return len(set(scene.true_labels if len(scene.true_labels) else scene.labels))

    def legend(self, scenes: list[DetectionScene]) -> list[tuple[str, Colour]]:
        """Lists names and RGB colours of all classes, or of those to be seen if there are very many."""
        indices = list(range(len(self.classes)))
        if len(self.classes) > _LONGEST_LEGEND:
            indices = sorted({int(label) for scene in scenes for label in (*scene.labels, *scene.true_labels)})
        return [(self.name(index), self.colour(index)) for index in indices]

    def remark(self, scenes: list[DetectionScene]) -> str:
        """Says what the lines mean."""
        solid = f'solid: predictions with a score of at least {self.score_thr:g}'
        return f'{solid}, dashed: ground truth' if any(len(scene.true_boxes) for scene in scenes) else solid
