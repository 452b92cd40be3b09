"""Loading of images and masks that names a bad file."""
from functools import partial
from typing import Any

import mmcv
import numpy as np
from mmcv.transforms import LoadAnnotations, LoadImageFromFile
from mmengine import fileio

from lcvision.datasets.mask_coding import MaskCoding, mismatch
from lcvision.errors import UserError
from lcvision.image_file import REMEDY, decode_image
from lcvision.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadImage(LoadImageFromFile):
    """Loads an image as mmcv does, and refuses one that is missing, cut short, no image, or too large.

    The other arguments are those of mmcv's ``LoadImageFromFile``. By default an image is uint8 of shape (H, W, 3) in
    BGR, turned upright by the file's EXIF orientation; with ``ignore_empty`` the dataset takes another one for a bad
    file.

    Args:
        cache_mb: Megabytes of decoded images that each process keeps, the first that it reads: a set of a few hundred
            images is decoded once.

    Differs: mmcv leaves a file that ends early to the decoder, and some (OpenCV 4) fill its rest with grey and go on;
        here it is always an error.
    """

    def __init__(self, *args: Any, cache_mb: float = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cache: dict[str, np.ndarray] = {}
        self._room = cache_mb * 2**20

    def transform(self, results: dict) -> dict | None:
        """Adds ``img``, ``img_shape`` and ``ori_shape`` to a data dict; None for a bad file with ``ignore_empty``.

        An ``img`` that is there, pixels in BGR as the frameworks' inferencers pass them, is taken unchanged.
        """
        try:
            img = results['img'] if 'img' in results else self._load(results['img_path'])
        except UserError:
            if self.ignore_empty:
                return None
            raise
        results['img'] = img.astype(np.float32) if self.to_float32 else img
        results['img_shape'] = results['ori_shape'] = img.shape[:2]
        return results

    def _load(self, path: str) -> np.ndarray:
        if path in self._cache:
            return self._cache[path].copy()
        img = self.decode(path, self._read(path))
        if img.nbytes <= self._room:
            self._room -= img.nbytes
            self._cache[path] = img.copy()
        return img

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


@TRANSFORMS.register_module()
class LoadMask(LoadAnnotations):
    """Loads the labels of a semantic segmentation, and refuses a mask that is damaged or does not fit its image.

    A dataset may say more in the data dict: ``label_map`` (value in the file -> label) and ``reduce_zero_label`` as
    mmseg's datasets do, and ``mask_colours`` (RGB colour -> label) for files of colours. Files with a colour table give
    their indices, whatever the colours, but with ``mask_colours`` the labels of their colours.

    Args:
        num_classes: Classes of the files: a value of ``num_classes`` or more is an error, but for ``ignore_index``.
            None takes any value.
        ignore_index: Value of pixels that do not count, 0..255.
        backend_args: mmengine's file backend, None for the one that the path itself names.

    Differs: mmseg's ``LoadAnnotations`` cuts 16-bit values down to 8, takes labels that no class has, and crashes with
        a traceback at a damaged file; a mask of another size than its image passes it.
    """

    def __init__(self, num_classes: int | None = None, ignore_index: int = 255, *,
                 backend_args: dict | None = None) -> None:
        if num_classes is not None and not 1 <= num_classes <= 255:
            raise ValueError(f'LoadMask: num_classes must be from 1 to 255, got {num_classes}.')
        if not 0 <= ignore_index <= 255:
            raise ValueError(f'LoadMask: ignore_index must be from 0 to 255, got {ignore_index}.')
        super().__init__(with_bbox=False, with_label=False, with_seg=True, backend_args=backend_args)
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self._coding: tuple | None = None

    def transform(self, results: dict) -> dict:
        """Adds ``gt_seg_map``, uint8 (H, W), listed in ``seg_fields``, to an mmseg data dict with its image loaded.

        A dict without ``seg_map_path``, as for an image that is only predicted, gets no labels.
        """
        if 'seg_map_path' not in results:
            return results
        path = results['seg_map_path']
        labels = self._coding_of(results).read(path, self.backend_args)
        # Other steps may have resized the image already.
        shape = results.get('ori_shape', labels.shape)
        if labels.shape != tuple(shape[:2]):
            raise mismatch(results.get('img_path', ''), shape[1::-1], path, labels.shape[::-1])
        results['gt_seg_map'] = labels
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results

    def _coding_of(self, results: dict) -> MaskCoding:
        meaning = results.get('label_map'), results.get('mask_colours'), bool(results.get('reduce_zero_label'))
        if self._coding is None or self._coding[0] != meaning:
            self._coding = meaning, MaskCoding(self.num_classes, self.ignore_index, *meaning)
        return self._coding[1]

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num_classes={self.num_classes}, ignore_index={self.ignore_index})'
