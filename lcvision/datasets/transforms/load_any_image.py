"""Image loading for data sets that hold files as well as for those that hold pixels."""
import numpy as np

from lcvision.datasets.transforms.load_image import LoadImage
from lcvision.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadAnyImage(LoadImage):
    """Loads an image file as :class:`LoadImage` does, or takes the pixels that the data set holds.

    With it one pipeline serves folders of images, ``NpzImageDataset`` and mmpretrain's ``CIFAR10`` and ``CIFAR100``.
    Whatever the source, the image comes out in BGR. All arguments are those of :class:`LoadImage`.
    """

    def transform(self, results: dict) -> dict | None:
        """Loads the image of one sample.

        Args:
            results: With ``img_path``, or with ``img``, the pixels in RGB, uint8 of shape (H, W, 3).

        Returns:
            The same dict with ``img``, ``img_shape`` and ``ori_shape``; None for a bad file with ``ignore_empty``.

        Raises:
            UserError: The file is missing or unreadable, or :meth:`decode` refuses it.
        """
        if 'img' not in results:
            return super().transform(results)
        img = np.ascontiguousarray(results['img'][..., ::-1])
        results['img'] = img.astype(np.float32) if self.to_float32 else img
        results['img_shape'] = results['ori_shape'] = img.shape[:2]
        return results
