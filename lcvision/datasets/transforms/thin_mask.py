"""Labels at a lower resolution than their image, for a cheaper loss."""
import numpy as np
from mmcv.transforms import BaseTransform

from lcvision.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ThinMask(BaseTransform):
    """Keeps one of ``step`` rows and one of ``step`` columns of the labels, at a random offset.

    A segmentor's logits are resized to the labels: at a quarter of the pixels, upsampling, softmax and loss cost a
    quarter. For training only: metrics count every pixel.

    Args:
        step: Rows and columns of which one is kept, 1 or more.
    """

    def __init__(self, step: int = 2):
        if step < 1:
            raise ValueError(f'ThinMask: step={step} must be 1 or more')
        self.step = step

    def transform(self, results: dict) -> dict:
        """Thins ``gt_seg_map``, (H, W), of a data dict to (H // step, W // step)."""
        row, column = np.random.randint(self.step, size=2)
        height, width = (size // self.step for size in results['gt_seg_map'].shape)
        thinned = results['gt_seg_map'][row::self.step, column::self.step][:height, :width]
        results['gt_seg_map'] = np.ascontiguousarray(thinned)
        return results

    def __repr__(self) -> str:
        return f'ThinMask(step={self.step})'
