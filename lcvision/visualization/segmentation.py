"""Predicted classes of pixels over an image, and where they are wrong."""
from dataclasses import dataclass

import cv2
import numpy as np

from lcvision.visualization.grid import legend_foot
from lcvision.visualization.painter import Colour, DataSample, Painter, Style

_NOTHING = -1
_IGNORED = 255
# Share of the class colour where it covers the image.
_COVER = 0.55


@dataclass(frozen=True)
class SegmentationScene:
    """What to draw on one image.

    Attributes:
        labels: Predicted class of every pixel, int16, shape (H, W).
        truth: Annotated class, -1 where there is none, int16, shape (H, W); None without annotations.
    """

    labels: np.ndarray
    truth: np.ndarray | None


class SegmentationPainter(Painter[SegmentationScene]):
    """Lays the colours of the predicted classes over the image, bright along the boundaries between classes.

    With annotations, pixels whose class is wrong are striped in the colour of the true class, and pixels that are
    ignored keep the plain image.
    """

    def read(self, sample: DataSample) -> SegmentationScene:
        """Takes ``pred_sem_seg`` in the size of the original image, and perhaps ``gt_sem_seg`` of any size."""
        labels = _label_map(sample.pred_sem_seg)
        if 'gt_sem_seg' not in sample:
            return SegmentationScene(labels, None)
        truth = _resize(_label_map(sample.gt_sem_seg), labels.shape)
        truth[truth >= (len(self.classes) or _IGNORED)] = _NOTHING
        return SegmentationScene(labels, truth)

    def paint(self, image: np.ndarray, scene: SegmentationScene, style: Style | None = None) -> np.ndarray:
        if style is None:
            style = Style.for_image(image.shape)
            foot = legend_foot(self.legend([scene]), self.remark([scene]), image.shape[1], style.font)
            return np.vstack([self.paint(image, scene, style), foot])
        labels = _resize(scene.labels, image.shape)
        colours = self._coloured(labels)
        layer = cv2.addWeighted(image, 1 - _COVER, colours, _COVER, 0)
        cv2.copyTo(colours, _boundaries(labels, max(1, style.line // 2)), layer)
        if scene.truth is None:
            image[...] = layer
            return image
        truth = _resize(scene.truth, image.shape)
        wrong = (labels != truth) & _stripes(image.shape, style.dash)
        cv2.copyTo(self._coloured(truth), wrong.view(np.uint8), layer)
        cv2.copyTo(layer, (truth != _NOTHING).view(np.uint8), image)
        return image

    def variety(self, scene: SegmentationScene) -> int:
        return len(_seen(scene.labels if scene.truth is None else scene.truth))

    def legend(self, scenes: list[SegmentationScene]) -> list[tuple[str, Colour]]:
        seen = {label for scene in scenes for labels in (scene.labels, scene.truth) if labels is not None
                for label in _seen(labels)}
        return [(self.name(label), self.colour(label)) for label in sorted(seen)]

    def remark(self, scenes: list[SegmentationScene]) -> str:
        judged = [(scene.labels, scene.truth) for scene in scenes if scene.truth is not None]
        total = sum(np.count_nonzero(truth != _NOTHING) for _, truth in judged)
        if not total:
            return 'colour: predicted class'
        right = sum(np.count_nonzero(labels == truth) for labels, truth in judged)
        return (f'{100 * right / total:.1f} % of the annotated pixels right; colour: predicted class, stripes: '
                'annotated class where it is another, plain: not annotated')

    def _coloured(self, labels: np.ndarray) -> np.ndarray:
        """BGR of every pixel; any for pixels without a class."""
        # One look-up of four bytes a pixel is many times quicker than one of three.
        table = np.zeros((max(int(labels.max()) + 2, 1), 4), np.uint8)
        for label in range(len(table) - 1):
            table[label, :3] = self.colour(label)[::-1]
        return cv2.cvtColor(table.view(np.uint32)[:, 0].take(labels).view(np.uint8).reshape(*labels.shape, 4),
                            cv2.COLOR_BGRA2BGR)


def _label_map(data: DataSample) -> np.ndarray:
    return data.numpy().data.squeeze(0).astype(np.int16)


def _resize(labels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if labels.shape == shape[:2]:
        return labels
    return cv2.resize(labels, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)


def _boundaries(labels: np.ndarray, width: int) -> np.ndarray:
    """1 at pixels with another class within so many pixels, uint8."""
    side = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    return cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, side).astype(bool).view(np.uint8)


def _stripes(shape: tuple[int, ...], width: int) -> np.ndarray:
    """Every second stripe of diagonal ones, bool."""
    diagonal = np.arange(shape[0] + shape[1]) // width % 2 == 0
    return np.lib.stride_tricks.sliding_window_view(diagonal, shape[1])[:shape[0]]


def _seen(labels: np.ndarray) -> list[int]:
    return np.flatnonzero(np.bincount(labels.ravel() + 1)[1:]).tolist()
