"""Mask loading that names a bad file."""
from mmcv.transforms import LoadAnnotations

from lcvision.datasets.mask_coding import MaskCoding, mismatch, read_mask
from lcvision.registry import TRANSFORMS


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
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self._coding: tuple | None = None

    def transform(self, results: dict) -> dict:
        """Adds ``gt_seg_map``, uint8 (H, W), listed in ``seg_fields``, to an mmseg data dict with its image loaded.

        A dict without ``seg_map_path``, as for an image that is only predicted, gets no labels.

        Raises:
            UserError: The file is missing, damaged, of more than 8 bits, of another size than the image, or holds
                values or colours that are no class.
        """
        if 'seg_map_path' not in results:
            return results
        path = results['seg_map_path']
        mask = read_mask(path, backend_args=self.backend_args)
        labels = self._coding_of(results).labels(mask.pixels, path, mask.table)
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
