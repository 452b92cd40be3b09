"""mIoU over the classes that the ground truth has."""
import warnings
from collections.abc import Sequence
from logging import WARNING

import numpy as np
import torch
from mmengine.logging import print_log
from mmseg.evaluation import IoUMetric

from lcvision.registry import METRICS


@METRICS.register_module()
class LabelledIoUMetric(IoUMetric):
    """mmseg's ``IoUMetric``, whose means are over the classes that occur in the ground truth of the split.

    A class without a labelled pixel has no IoU: it is nan in the table and left out of the means, however often it is
    predicted. A pixel wrongly predicted as such a class still counts against its true class. Thus a data set with 11 of
    Cityscapes' 19 classes has an mIoU over these 11, as in published results on it.

    Args:
        kwargs: What mmseg's ``IoUMetric`` takes.

    Differs: in mmseg one pixel predicted as an absent class gives this class an IoU of 0 in the mean. mIoU comes
        first, being what checkpoints are chosen by, and all values are plain numbers: without any labelled pixel they
        are 0 where mmseg's are nan.
    """

    default_prefix = ''  # mmengine warns of None

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The metrics, in percent, from the areas of each image that ``process`` collected."""
        if not self.format_only:
            self._report_absent(sum(areas[3] for areas in results))
        with warnings.catch_warnings():
            # The mean of nothing, where nothing is labelled.
            warnings.simplefilter('ignore', RuntimeWarning)
            metrics = super().compute_metrics(results)
        order = sorted(metrics, key=lambda name: name != 'mIoU')
        return {name: round(float(np.nan_to_num(metrics[name])), 2) for name in order}

    def _report_absent(self, labelled: torch.Tensor) -> None:
        classes = self.dataset_meta['classes']
        absent = [name for name, area in zip(classes, labelled) if area == 0]
        if absent:
            print_log(f'means are over {len(classes) - len(absent)} of {len(classes)} classes; not in the ground '
                      f'truth: {", ".join(absent)}', logger='current', level=WARNING)

    @staticmethod
    def total_area_to_metrics(total_area_intersect: torch.Tensor, total_area_union: torch.Tensor,
                              total_area_pred_label: torch.Tensor, total_area_label: torch.Tensor,
                              metrics: Sequence[str] = ('mIoU',), nan_to_num: int | None = None,
                              beta: int = 1) -> dict[str, np.ndarray]:
        """As mmseg's: values 0..1 of each class by name, and the accuracy of all pixels.

        An absent class is ``nan_to_num``, or nan if that is None.
        """
        values = IoUMetric.total_area_to_metrics(total_area_intersect, total_area_union, total_area_pred_label,
                                                 total_area_label, list(metrics), None, beta)
        absent = total_area_label.numpy() == 0
        fill = np.nan if nan_to_num is None else nan_to_num
        return {name: value if name == 'aAcc' else np.where(absent, fill, np.nan_to_num(value))
                for name, value in values.items()}
