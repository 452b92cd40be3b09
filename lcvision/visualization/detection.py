"""Predicted and true boxes on an image: BGR uint8 of shape (H, W, 3), changed in place.

Corners are the first column and row and the last column and row of a box, colours are RGB of 0..255.
"""
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lcvision.visualization.painter import Colour, DataSample, Painter, Style
from lcvision.visualization.text import chip, paste

_LONGEST_LEGEND = 24
# Of dashes.
_LIGHT, _DARK = np.uint8(255), np.uint8(40)


@dataclass(frozen=True)
class DetectionScene:
    """What to draw on one image; boxes are x1, y1, x2, y2 in pixels of the original image.

    Attributes:
        shape: Height and width of the original image in pixels.
        boxes, labels, scores: Predictions, the best first: shape (N, 4), classes (N,) and scores of 0..1 (N,).
        true_boxes, true_labels: Annotations: shape (M, 4), and classes (M,).
    """

    shape: tuple[int, int]
    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    true_boxes: np.ndarray
    true_labels: np.ndarray


class DetectionPainter(Painter[DetectionScene]):
    """Draws predictions as solid boxes in the colours of their classes, annotations as thin dashed ones.

    A label gives class and score. Where boxes crowd, a label moves along its box, is cut to the score, and is finally
    left out, the best predictions choosing first; labels lie inside the image and never on each other.

    Args:
        dataset_meta: See :class:`Painter`.
        score_thr: Predictions with a lower score are not drawn, 0..1.
        annotations_resized: Whether ``gt_instances`` are in pixels of the network's input, instead of those of the
            original image as the predictions are.
    """

    def __init__(self, dataset_meta: Mapping[str, Any], score_thr: float = 0.3,
                 annotations_resized: bool = False) -> None:
        super().__init__(dataset_meta)
        self.score_thr, self.annotations_resized = score_thr, annotations_resized

    def read(self, sample: DataSample) -> DetectionScene:
        """Takes ``pred_instances``, in pixels of the original image, ``ori_shape``, and perhaps ``gt_instances``."""
        found = sample.pred_instances.numpy()
        boxes = np.asarray(getattr(found.bboxes, 'tensor', found.bboxes), np.float32).reshape(-1, 4)
        keep = np.flatnonzero((found.scores >= self.score_thr) & np.isfinite(boxes).all(axis=1))
        keep = keep[np.argsort(-found.scores[keep], kind='stable')]
        true, true_labels = true_boxes(sample, self.annotations_resized)
        height, width = sample.ori_shape[:2]
        return DetectionScene((height, width), boxes[keep], found.labels[keep], found.scores[keep], true, true_labels)

    def paint(self, image: np.ndarray, scene: DetectionScene, style: Style | None = None) -> np.ndarray:
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
        return len(set(scene.true_labels if len(scene.true_labels) else scene.labels))

    def legend(self, scenes: list[DetectionScene]) -> list[tuple[str, Colour]]:
        """All classes, or only those visible if there are very many."""
        indices = list(range(len(self.classes)))
        if len(self.classes) > _LONGEST_LEGEND:
            indices = sorted({int(label) for scene in scenes for label in (*scene.labels, *scene.true_labels)})
        return [(self.name(index), self.colour(index)) for index in indices]

    def remark(self, scenes: list[DetectionScene]) -> str:
        solid = f'solid: predictions with a score of at least {self.score_thr:g}'
        return f'{solid}, dashed: ground truth' if any(len(scene.true_boxes) for scene in scenes) else solid


def annotations_are_resized(dataset: Any) -> bool:
    """Whether the pipeline of a dataset, or of the one inside a wrapper, resizes annotations together with the image.

    A pipeline that loads them after ``Resize``, as mmdet's test pipelines do, leaves them in pixels of the original
    image; one that loads them before brings them to those of the network's input.
    """
    from mmcv.transforms import LoadAnnotations
    while not hasattr(dataset, 'pipeline'):
        inner = getattr(dataset, 'dataset', None) or next(iter(getattr(dataset, 'datasets', [])), None)
        if inner is None:
            return False
        dataset = inner
    transforms = list(getattr(dataset.pipeline, 'transforms', []))
    loads = [index for index, transform in enumerate(transforms) if isinstance(transform, LoadAnnotations)]
    return bool(loads) and any('Resize' in type(transform).__name__ for transform in transforms[loads[0]:])


def true_boxes(sample: DataSample, resized: bool) -> tuple[np.ndarray, np.ndarray]:
    """Annotations of a sample: x1, y1, x2, y2 in pixels of the original image, float32, shape (N, 4), and labels, (N,).

    If they are resized to the network's input, the sample's ``scale_factor`` leads back.
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


def pixel_corners(boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Rounds x1, y1, x2, y2 in pixels, shape (N, 4), to corners in an image of this height and width, int, (N, 4)."""
    last = np.array([shape[1], shape[0]] * 2) - 1
    return np.clip(np.rint(boxes), 0, last).astype(int)


def draw_box(image: np.ndarray, corners: np.ndarray, colour: Colour, line: int) -> None:
    """Draws a solid box with a line of this width in pixels."""
    x1, y1, x2, y2 = (int(value) for value in corners)
    cv2.rectangle(image, (x1, y1), (x2, y2), colour[::-1], line)


def draw_dashed_box(image: np.ndarray, corners: np.ndarray, dash: int) -> None:
    """Draws a box one pixel thin, visible on any background: its dashes, this long, are white and black in turn."""
    x1, y1, x2, y2 = (int(value) for value in corners)
    pattern = np.arange(max(x2 - x1, y2 - y1) + 1) // dash % 2 == 0
    dashes = np.where(pattern[:, None], _LIGHT, _DARK)
    across, down = dashes[:x2 - x1 + 1], dashes[:y2 - y1 + 1]
    image[y1, x1:x2 + 1] = image[y2, x1:x2 + 1] = across
    image[y1:y2 + 1, x1] = image[y1:y2 + 1, x2] = down


class LabelLayer:
    """Labels of boxes on an image, none of which covers another."""

    def __init__(self, image: np.ndarray, style: Style) -> None:
        self._image, self._style, self._taken = image, style, np.zeros(image.shape[:2], bool)

    def add(self, corners: np.ndarray, texts: tuple[str, ...], colour: Colour) -> str | None:
        """Draws the first of the texts for which there is room at the box, inside the image; returns it, or None."""
        for text in texts:
            plate, cover = chip(text, self._style.font, colour)
            height, width = cover.shape
            for x, y in self._places(corners, height, width):
                if not self._taken[y:y + height, x:x + width].any():
                    self._taken[y:y + height, x:x + width] = True
                    paste(self._image, plate, cover, (x, y))
                    return text
        return None

    def _places(self, corners: np.ndarray, height: int, width: int) -> list[tuple[int, int]]:
        """Upper left corners: on the upper line, below it, above the lower line, on that; left before right."""
        image_height, image_width = self._image.shape[:2]
        if height > image_height or width > image_width:
            return []
        half = self._style.line // 2
        x1, y1, x2, y2 = (int(value) for value in corners)
        columns = [min(max(x, 0), image_width - width) for x in (x1 - half, x2 + half + 1 - width)]
        rows = [min(max(y, 0), image_height - height)
                for y in (y1 + half + 1 - height, y1 + half + 1, y2 - half - height, y2 - half)]
        return [(x, y) for y in rows for x in columns]
