"""Image loading that names a bad file."""
from contextlib import suppress

import cv2
import mmcv
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio

from lcvision.datasets.image_bounds import open_image
from lcvision.datasets.image_end import missing_end
from lcvision.errors import UserError
from lcvision.registry import TRANSFORMS

_BROKEN = (OSError, EOFError, ValueError, SyntaxError)
_REMEDY = 'restore the file or remove the image from the annotations'


@TRANSFORMS.register_module()
class LoadImage(LoadImageFromFile):
    """Loads an image as mmcv does, and refuses one that is missing, cut short, no image, or too large.

    Args:
        to_float32: Whether the image becomes float32, otherwise it is as decoded, uint8 as a rule.
        color_type: mmcv's flag: ``'color'`` gives (H, W, 3) in BGR, turned upright by the file's EXIF orientation;
            ``'color_ignore_orientation'``, ``'grayscale'`` and ``'unchanged'`` as in mmcv.
        imdecode_backend: mmcv's decoder, such as ``'cv2'`` or ``'pillow'``.
        ignore_empty: Whether a bad file makes the dataset take another image instead of an error.
        backend_args: mmengine's file backend, None for the one that the path itself names.

    Differs: mmcv leaves a file that ends early to the decoder, and some (OpenCV 4) fill its rest with grey and go on;
        here it is always an error.
    """

    def __init__(self, to_float32: bool = False, color_type: str = 'color', imdecode_backend: str = 'cv2',
                 ignore_empty: bool = False, *, backend_args: dict | None = None) -> None:
        super().__init__(to_float32=to_float32, color_type=color_type, imdecode_backend=imdecode_backend,
                         ignore_empty=ignore_empty, backend_args=backend_args)

    def transform(self, results: dict) -> dict | None:
        """Loads the image of one sample.

        Args:
            results: mmdet data dict with ``img_path``, or with ``img``, pixels in BGR as the frameworks' inferencers
                hand them, which are taken as they are.

        Returns:
            The same dict with ``img``, ``img_shape`` and ``ori_shape``; None for a bad file with ``ignore_empty``.

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
        """Decodes an image file held in memory.

        Args:
            path: What it is called in a message.
            content: The whole file.

        Returns:
            The image as the arguments of this transform say, (H, W, 3) in BGR as a rule.

        Raises:
            UserError: It is empty, ends early, cannot be decoded, or :func:`open_image` finds it too large.
        """
        if not content:
            raise UserError(f'Image file {path} is empty (0 bytes): {_REMEDY}.')
        missing = missing_end(content)
        if missing:
            raise UserError(f'Image file {path} ends early ({missing}, {len(content)} bytes): {_REMEDY}.')
        try:
            with suppress(*_BROKEN), open_image(f'Image file {path}', content):
                pass
            img = mmcv.imfrombytes(content, flag=self.color_type, backend=self.imdecode_backend)
        except (*_BROKEN, cv2.error) as error:
            raise self._undecodable(path, content) from error
        if img is None:
            raise self._undecodable(path, content)
        return img

    def _undecodable(self, path: str, content: bytes) -> UserError:
        return UserError(f'Image file {path} is not an image that {self.imdecode_backend} can decode '
                         f'({len(content)} bytes, starting {content[:8]!r}): {_REMEDY}.')
