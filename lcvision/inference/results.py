"""What a model finds in one image."""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Detections:
    """Objects on an image, the best first.

    Attributes:
        boxes: x1, y1, x2, y2 in pixels of the original image, float32, shape (n, 4).
        scores: 0..1, float32, shape (n,).
        labels: Classes, int64, shape (n,).
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)

    def above(self, score: float) -> 'Detections':
        """Those with at least this score."""
        keep = self.scores >= score
        return Detections(self.boxes[keep], self.scores[keep], self.labels[keep])

    def as_json(self, classes: Sequence[str]) -> dict:
        """Plain values for a JSON file; ``classes`` are the names."""
        return {'objects': [
            {'name': classes[label], 'label': int(label), 'score': round(float(score), 4),
             'box': [round(float(side), 2) for side in box]}
            for box, score, label in zip(self.boxes, self.scores, self.labels, strict=True)]}


@dataclass(frozen=True)
class LabelMap:
    """The class of every pixel.

    Attributes:
        labels: In the size of the original image, uint8 (int16 above 255 classes), shape (H, W).
    """

    labels: np.ndarray

    def as_json(self, classes: Sequence[str]) -> dict:
        """Share of the pixels of each class that occurs, the largest first; ``classes`` are the names."""
        counts = np.bincount(self.labels.ravel(), minlength=len(classes)) / self.labels.size
        return {'shares': {classes[label]: round(float(counts[label]), 5)
                           for label in np.argsort(-counts, kind='stable') if counts[label]}}


@dataclass(frozen=True)
class Classification:
    """The class of an image.

    Attributes:
        label: The best class.
        name: Its name.
        labels: The best classes, the best first, int64, shape (k,).
        scores: Their scores, 0..1, float32, shape (k,).
    """

    label: int
    name: str
    labels: np.ndarray
    scores: np.ndarray

    def as_json(self, classes: Sequence[str]) -> dict:
        """Plain values for a JSON file; ``classes`` are the names."""
        return {'label': self.label, 'name': self.name,
                'top': [{'name': classes[label], 'label': int(label), 'score': round(float(score), 6)}
                        for label, score in zip(self.labels, self.scores, strict=True)]}


Result = Detections | LabelMap | Classification
