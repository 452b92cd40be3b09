"""Pictures of what a model found, drawn with cv2."""
from collections.abc import Mapping
from typing import Any

from lcvision.errors import UserError
from lcvision.tasks import CLASSIFICATION, DETECTION, SEGMENTATION
from lcvision.visualization.classification import ClassificationPainter, ClassificationScene
from lcvision.visualization.detection import DetectionPainter, DetectionScene, annotations_are_resized
from lcvision.visualization.grid import contact_sheet, tile_sizes
from lcvision.visualization.painter import DataSample, Painter, Style
from lcvision.visualization.picture_folder import PictureFolder
from lcvision.visualization.segmentation import SegmentationPainter, SegmentationScene

__all__ = ['ClassificationPainter', 'ClassificationScene', 'DetectionPainter', 'DetectionScene', 'Painter',
           'PictureFolder', 'SegmentationPainter', 'SegmentationScene', 'Style', 'annotations_are_resized',
           'contact_sheet', 'painter_for', 'tile_sizes']


def painter_for(sample: DataSample, dataset_meta: Mapping[str, Any], score_thr: float,
                annotations_resized: bool) -> Painter:
    """Chooses the painter by what a model's output holds; the arguments are those of :class:`DetectionPainter`."""
    if DETECTION.prediction in sample:
        return DetectionPainter(dataset_meta, score_thr, annotations_resized)
    if CLASSIFICATION.prediction in sample:
        return ClassificationPainter(dataset_meta)
    if SEGMENTATION.prediction in sample:
        return SegmentationPainter(dataset_meta)
    raise UserError('there is nothing to draw in the results of this model: a data sample must hold pred_instances, '
                    f'pred_label or pred_sem_seg, this one has {", ".join(sorted(sample.keys())) or "nothing"}; test '
                    'without --show-dir')
