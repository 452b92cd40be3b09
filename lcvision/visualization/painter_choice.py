"""Who draws what a data sample holds."""
from collections.abc import Mapping
from typing import Any

from mmengine.structures import BaseDataElement

from lcvision.errors import UserError
from lcvision.tasks import CLASSIFICATION, DETECTION, SEGMENTATION
from lcvision.visualization.classification import ClassificationPainter
from lcvision.visualization.detection import DetectionPainter
from lcvision.visualization.painter import Painter
from lcvision.visualization.segmentation import SegmentationPainter


def painter_for(sample: BaseDataElement, dataset_meta: Mapping[str, Any], score_thr: float,
                annotations_resized: bool) -> Painter:
    """Chooses the painter by what a data sample holds.

    Args:
        sample: A model's output.
        dataset_meta: The dataset's ``metainfo``.
        score_thr: Predictions below are not drawn, 0..1.
        annotations_resized: Whether the sample's annotations are in pixels of the network's input.

    Raises:
        UserError: It holds nothing that can be drawn.
    """
    if DETECTION.prediction in sample:
        return DetectionPainter(dataset_meta, score_thr, annotations_resized)
    if CLASSIFICATION.prediction in sample:
        return ClassificationPainter(dataset_meta)
    if SEGMENTATION.prediction in sample:
        return SegmentationPainter(dataset_meta)
    raise UserError('there is nothing to draw in the results of this model: a data sample must hold pred_instances, '
                    f'pred_label or pred_sem_seg, this one has {", ".join(sorted(sample.keys())) or "nothing"}; test '
                    'without --show-dir')
