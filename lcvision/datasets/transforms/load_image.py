"""Image loading that names a bad file."""
from contextlib import suppress

import cv2
import mmcv
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio

from lcvision.datasets.image_file import missing_end, open_image
from lcvision.errors import UserError
from lcvision.registry import TRANSFORMS

_BROKEN = (OSError, EOFError, ValueError, SyntaxError)
_REMEDY = 'restore the file or remove the image from the annotations'


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
                            f'or {_REMEDY}.') from error
        except OSError as error:
            raise UserError(f'Image file {path} cannot be read ({error.strerror or error}): '
                            f'check its permissions, or {_REMEDY}.') from error

    def decode(self, path: str, content: bytes) -> np.ndarray:
        """Decodes the whole content of an image file as the arguments of this transform say.

        Raises:
            UserError: It is empty, ends early, cannot be decoded, or :func:`open_image` finds it too large.
        """
        if not content:
            raise UserError(f'Image file {path} is empty (0 bytes): {_REMEDY}.')
        missing = missing_end(content)
        if missing:
            raise UserError(f'Image file {path} ends early ({missing}, {len(content)} bytes): {_REMEDY}.')
        cause: Exception | None = None
        img = None
        try:
            with suppress(*_BROKEN), open_image(f'Image file {path}', content):
                pass
            img = mmcv.imfrombytes(content, flag=self.color_type, backend=self.imdecode_backend)
        except (*_BROKEN, cv2.error) as error:
            cause = error
        if img is None:
            raise UserError(f'Image file {path} is not an image that {self.imdecode_backend} can decode '
                            f'({len(content)} bytes, starting {content[:8]!r}): {_REMEDY}.') from cause
        return img


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
