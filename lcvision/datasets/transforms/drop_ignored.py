"""Training without the annotations that are flagged as ignored."""
import numpy as np
from mmcv.transforms import BaseTransform

from lcvision.datasets.transforms.instances import select_instances
from lcvision.registry import TRANSFORMS


@TRANSFORMS.register_module()
class DropIgnored(BaseTransform):
    """Removes the objects whose ``gt_ignore_flags`` entry is set, such as COCO's crowds.

    It stands right after ``LoadAnnotations``: a crowd box left in the sample would still decide which crops
    :class:`SSDCrop` accepts.

    Source: the reference never loads crowd annotations.
    """

    def transform(self, results: dict) -> dict:
        """Filters one sample.

        Args:
            results: mmdet data dict after ``LoadAnnotations``.

        Returns:
            The same dict, without the flagged objects.
        """
        flags = results.get('gt_ignore_flags')
        if flags is not None and np.any(flags):
            select_instances(results, np.logical_not(flags))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
