"""Image loading that names a bad file."""
from functools import partial

import mmcv
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio

from lcvision.errors import UserError
from lcvision.image_file import REMEDY, decode_image
from lcvision.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadImage(LoadImageFromFile):
    """Loads an image as mmcv does, and refuses one that is missing, cut short, no image, or too large.

    The arguments are those of mmcv's ``LoadImageFromFile``. By default an image is uint8 of shape (H, W, 3) in BGR,
    turned upright by the file's EXIF orientation; with ``ignore_empty`` the dataset takes another one for a bad file.

    Differs: mmcv leaves a file that ends early to the decoder, and some (OpenCV 4) fill its rest with grey and go on;
        here it is always an error.
    """

    def transform(self, results: dict) -> dict | None:
        """Adds ``img``, ``img_shape`` and ``ori_shape`` to a data dict; None for a bad file with ``ignore_empty``.

        An ``img`` that is there, pixels in BGR as the frameworks' inferencers pass them, is taken unchanged.

        Raises:
            UserError: The file is missing or unreadable, or :meth:`decode` refuses it.
        """
        try:
            img = results['img'] if 'img' in results else self.decode(results['img_path'],
                                                                      self._read(results['img_path']))
        except UserError:
            if self.ignore_empty:
                return None
            raise
        results['img'] = img.astype(np.float32) if self.to_float32 else img
        results['img_shape'] = results['ori_shape'] = img.shape[:2]
        return results

    def _read(self, path: str) -> bytes:
        try:
            return fileio.get(path, backend_args=self.backend_args)
        except FileNotFoundError as error:
            raise UserError(f'Image file {path} does not exist: check the image folder given for the dataset, '
                            f'or {REMEDY}.') from error
        except OSError as error:
            raise UserError(f'Image file {path} cannot be read ({error.strerror or error}): '
                            f'check its permissions, or {REMEDY}.') from error

    def decode(self, path: str, content: bytes) -> np.ndarray:
        """Decodes an image file as the arguments of this transform say; see :func:`decode_image`."""
        decode = partial(mmcv.imfrombytes, flag=self.color_type, backend=self.imdecode_backend)
        return decode_image(path, content, decode, self.imdecode_backend)


@TRANSFORMS.register_module()
class LoadAnyImage(LoadImage):
    """Loads an image file as :class:`LoadImage` does, or takes the pixels that the data set holds.

    With it one pipeline serves folders of images, ``NpzImageDataset`` and mmpretrain's ``CIFAR10`` and ``CIFAR100``.
    Whatever the source, the image comes out in BGR.
    """

    def transform(self, results: dict) -> dict | None:
        """As :meth:`LoadImage.transform`, but ``img`` of a data set's sample, which has a ``sample_idx``, is RGB."""
        if 'img' in results and 'sample_idx' in results:
            results['img'] = np.ascontiguousarray(results['img'][..., ::-1])
        return super().transform(results)
