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
            results: As of :class:`LoadImage`, but ``img`` of a data set's sample, which has a ``sample_idx``, is RGB.

        Returns:
            The same dict with ``img``, ``img_shape`` and ``ori_shape``; None for a bad file with ``ignore_empty``.

        Raises:
            UserError: The file is missing or unreadable, or :meth:`decode` refuses it.
        """
        if 'img' in results and 'sample_idx' in results:
            results['img'] = np.ascontiguousarray(results['img'][..., ::-1])
        return super().transform(results)
