"""The predicted class on an image, and the true one where it differs."""
from dataclasses import dataclass

import cv2
import numpy as np

from lcvision.errors import UserError
from lcvision.visualization.painter import Colour, DataSample, Painter, Style
from lcvision.visualization.text import chip, paste, shorten

RIGHT, WRONG, UNKNOWN = (22, 143, 78), (213, 40, 40), (63, 81, 181)
_TRUTH: Colour = (36, 41, 47)
# Letters do not fit into a smaller picture.
_LEAST_SIDE = 224


@dataclass(frozen=True)
class ClassificationScene:
    """What to write on one image.

    Attributes:
        label, score: The best class and its score, 0..1.
        true_labels: The annotated class or classes; empty without annotation.
    """

    label: int
    score: float
    true_labels: tuple[int, ...]


class ClassificationPainter(Painter[ClassificationScene]):
    """Frames an image and writes class and score of its best prediction on it.

    Green is right and red is wrong, with the true class in a second label; blue stands for an image without annotation.
    """

    def read(self, sample: DataSample) -> ClassificationScene:
        """Takes ``pred_score``, shape (classes,), ``pred_label``, ``img_path``, and perhaps ``gt_label``."""
        if 'img_path' not in sample:
            raise UserError('the images of this data set are not files and cannot be drawn on: give the set as '
                            'folders of images or as an .npz file with --data, or test without --show-dir')
        label = int(sample.pred_label.reshape(-1)[0])
        truth = sample.get('gt_label')
        true_labels = () if truth is None else tuple(int(value) for value in truth.reshape(-1))
        return ClassificationScene(label, float(sample.pred_score[label]), true_labels)

    def paint(self, image: np.ndarray, scene: ClassificationScene, style: Style | None = None) -> np.ndarray:
        if style is None:
            factor = _LEAST_SIDE / min(image.shape[:2])
            if factor > 1:
                image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
            style = Style.for_image(image.shape)
        height, width = image.shape[:2]
        colour = _verdict(scene)
        cv2.rectangle(image, (0, 0), (width - 1, height - 1), colour[::-1], 2 * style.line)
        texts = [(f'{self.name(scene.label)} {scene.score:.2f}', colour)]
        if scene.true_labels and scene.label not in scene.true_labels:
            texts.append((f'true: {", ".join(map(self.name, scene.true_labels))}', _TRUTH))
        left, bottom = 2 * style.line, height - 2 * style.line
        for text, ground in reversed(texts):
            plate, cover = chip(shorten(text, style.font, width - 2 * left - style.font), style.font, ground)
            bottom -= cover.shape[0]
            paste(image, plate, cover, (left, bottom))
        return image

    def variety(self, scene: ClassificationScene) -> int:
        """The same for every image: the contact sheet prefers none."""
        return 1

    def legend(self, scenes: list[ClassificationScene]) -> list[tuple[str, Colour]]:
        """Right and wrong, as far as they occur."""
        names = {RIGHT: 'right', WRONG: 'wrong', UNKNOWN: 'not annotated'}
        seen = {_verdict(scene) for scene in scenes}
        return [(name, colour) for colour, name in names.items() if colour in seen]

    def remark(self, scenes: list[ClassificationScene]) -> str:
        wrong = any(_verdict(scene) == WRONG for scene in scenes)
        return 'best class and its score' + (', below it the true class' if wrong else '')


def _verdict(scene: ClassificationScene) -> Colour:
    """RGB that says whether a prediction is right."""
    if not scene.true_labels:
        return UNKNOWN
    return RIGHT if scene.label in scene.true_labels else WRONG
