"""Jitter of the lighting along the axes in which colours vary together."""
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform

from lcvision.registry import TRANSFORMS

# Of the colours of ImageNet, in BGR and for pixels of 0 to 255: one eigenvector a column.
_EIGENVALUES = np.array([55.4625, 4.794, 1.1475])
_EIGENVECTORS = np.array([[-0.5836, -0.6948, 0.4203], [-0.5808, -0.0045, -0.8140], [-0.5675, 0.7192, 0.4009]])


@TRANSFORMS.register_module()
class PCALighting(BaseTransform):
    """Adds one random colour to a whole image, most along the axis in which ImageNet's colours vary most.

    Args:
        std: Standard deviation of the share of each eigenvalue, 0 or above; AlexNet's is 0.1.

    Source: AlexNet, section 4.1.

    Differs: mmpretrain's ``Lighting`` casts its result to the image's type; in uint8, pixels darker than black come out
    white. Here the image becomes float32 and stays so, unclipped as in the reference.
    """

    def __init__(self, std: float = 0.1):
        if std < 0:
            raise ValueError(f'PCALighting: std={std} must be at least 0, e.g. 0.1')
        self.std = float(std)

    def transform(self, results: dict) -> dict:
        """Changes ``img``, (H, W, 3) in BGR, of a data dict into float32."""
        image = results['img'].astype(np.float32)
        results['img'] = mmcv.adjust_lighting(image, _EIGENVALUES, _EIGENVECTORS, self.std,
                                              to_rgb=False).astype(np.float32)
        return results

    def __repr__(self) -> str:
        return f'PCALighting(std={self.std})'
