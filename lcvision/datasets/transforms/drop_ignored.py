"""Training without the annotations that are flagged as ignored."""
import numpy as np
from mmcv.transforms import BaseTransform

from lcvision.registry import TRANSFORMS

_INSTANCE_KEYS = ('gt_bboxes', 'gt_bboxes_labels', 'gt_ignore_flags', 'gt_masks', 'gt_instances_ids')


@TRANSFORMS.register_module()
class DropIgnored(BaseTransform):
    """Removes the objects whose ``gt_ignore_flags`` entry is set, such as COCO's crowds.

    It comes right after ``LoadAnnotations``: a crowd box left in the sample would still decide which crops
    :class:`SSDCrop` accepts.

    Source: the reference never loads crowd annotations.
    """

    def transform(self, results: dict) -> dict:
        """Filters the objects of an mmdet data dict, in place."""
        flags = results.get('gt_ignore_flags')
        if flags is not None and np.any(flags):
            select_instances(results, np.logical_not(flags))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def select_instances(results: dict, keep: np.ndarray) -> None:
    """Keeps the objects of an mmdet data dict, in place, where ``keep``, bool (N,), is set."""
    index = np.flatnonzero(keep)
    for key in _INSTANCE_KEYS:
        if results.get(key) is not None:
            results[key] = results[key][index]
