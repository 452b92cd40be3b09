"""mAP, even for a detector that does not find anything yet."""
from collections.abc import Sequence

from mmdet.evaluation import CocoMetric
from mmengine.logging import print_log

from lcvision.registry import METRICS

_KEYS = ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')


@METRICS.register_module()
class CocoBoxMetric(CocoMetric):
    """mmdet's ``CocoMetric`` for boxes, whose metrics are 0 where no box passes the score threshold.

    Args:
        part: Whether the data set has only a part of the json's images; the others then count for nothing.
        kwargs: What mmdet's ``CocoMetric`` takes; ``metric`` is always 'bbox'.

    Differs: mmdet's logs an error and returns nothing, so that the first validations of a training from scratch have
        no mAP to log, to plot or to choose a checkpoint by. Annotations are renumbered from 1: pycocotools takes a
        match with annotation 0 for none, which lowers mAP, and cannot hold an id that is a text.
    """

    def __init__(self, part: bool = False, **kwargs):
        super().__init__(**{**kwargs, 'metric': 'bbox'})
        self.part = part
        if self._coco_api is not None:
            self._coco_api.anns = dict(enumerate(self._coco_api.dataset['annotations'], 1))
            for number, annotation in self._coco_api.anns.items():
                annotation['id'] = number

    def compute_metrics(self, results: Sequence) -> dict[str, float]:
        """The metrics of all images from what ``process`` collected."""
        if self.format_only or any(len(prediction['scores']) for _, prediction in results):
            if self.part:
                self.img_ids = [prediction['img_id'] for _, prediction in results]
            return super().compute_metrics(results)
        print_log(f'no box of the {len(results)} images passes the score threshold: mAP is 0', logger='current')
        return {f'bbox_{key}': 0. for key in _KEYS}
