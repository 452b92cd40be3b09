"""One random size and interpolation for a whole batch, as a collate function."""
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import PixelData

from lcvision.registry import FUNCTIONS

INTERPOLATIONS = {'nearest': cv2.INTER_NEAREST, 'bilinear': cv2.INTER_LINEAR, 'area': cv2.INTER_AREA,
                  'bicubic': cv2.INTER_CUBIC, 'lanczos': cv2.INTER_LANCZOS4}


@FUNCTIONS.register_module()
def batch_random_resize(data_batch: Sequence[dict], sizes: Sequence[int | tuple[int, int]],
                        interpolations: Sequence[str] = tuple(INTERPOLATIONS)) -> dict:
    """Collates packed samples and resizes all of them to one random size, without keeping their ratio.

    It is used as ``collate_fn=dict(type='lcvision.batch_random_resize', sizes=[...])`` of a dataloader whose pipeline
    ends in ``PackDetInputs``. Size and interpolation come from numpy's global generator, which ``SeedHook`` seeds for
    every batch, so that two ranks draw differently.

    Args:
        data_batch: Samples with ``inputs`` of shape (3, H, W), uint8 or float32, and ``data_samples``.
        sizes: Sides in pixels to choose from; a pair is (width, height).
        interpolations: Names to choose from: nearest, bilinear, area, bicubic, lanczos.

    Returns:
        A dict with ``inputs``, one tensor of shape (N, 3, h, w), uint8 if all images are and else float32, and the list
        ``data_samples``, whose boxes are scaled and clipped to the image.

    Source: BatchRandomResize of the reference reader.
    """
    if len(sizes) == 0:
        raise ValueError('batch_random_resize: sizes is empty; give at least one side in pixels.')
    if not interpolations or set(interpolations) - set(INTERPOLATIONS):
        raise ValueError(f'batch_random_resize: interpolations must be among {", ".join(INTERPOLATIONS)}, '
                         f'got {list(interpolations)}.')
    size = sizes[np.random.randint(len(sizes))]
    width, height = (size, size) if isinstance(size, int) else size
    if min(width, height) < 1:
        raise ValueError(f'batch_random_resize: a size must be 1 pixel or more, got {size}.')
    interpolation = INTERPOLATIONS[interpolations[np.random.randint(len(interpolations))]]
    batch = pseudo_collate(data_batch)
    sources = [inputs.shape[-2:] for inputs in batch['inputs']]
    batch['inputs'] = _resize_images(batch['inputs'], width, height, interpolation)
    for sample, (source_height, source_width) in zip(batch['data_samples'], sources, strict=True):
        _resize_targets(sample, (width / source_width, height / source_height), (height, width))
    return batch


def _resize_images(images: Sequence[torch.Tensor], width: int, height: int, interpolation: int) -> torch.Tensor:
    same_type = len({image.dtype for image in images}) == 1
    out = torch.empty((len(images), images[0].shape[0], height, width),
                      dtype=images[0].dtype if same_type else torch.float32)
    for image, target in zip(images, out, strict=True):
        # A uint8 image among float ones is still resized as uint8: that rounds and clips, as it would alone.
        resized = target if image.dtype == out.dtype else torch.empty(target.shape, dtype=image.dtype)
        # Plane by plane straight into the batch: cv2 then needs no channels-last copy of either side.
        for plane, place in zip(image.numpy(), resized.numpy(), strict=True):
            cv2.resize(plane, (width, height), dst=place, interpolation=interpolation)
        if resized is not target:
            target.copy_(resized)
    return out


def _resize_targets(sample, scale: tuple[float, float], shape: tuple[int, int]) -> None:
    """Brings the annotations and the metadata of one DetDataSample to the new image."""
    for name in ('gt_instances', 'ignored_instances', 'proposals'):
        instances = sample.get(name)
        if instances is None:
            continue
        if isinstance(boxes := instances.get('bboxes'), torch.Tensor):
            boxes = boxes * boxes.new_tensor(scale * 2)
            instances.bboxes = torch.minimum(boxes.clamp(min=0), boxes.new_tensor((shape[1], shape[0]) * 2))
        elif boxes is not None:
            boxes.rescale_(scale)
            boxes.clip_(shape)
        if 'masks' in instances:
            instances.masks = instances.masks.resize(shape)
    if 'gt_sem_seg' in sample:
        labels = sample.gt_sem_seg.sem_seg
        resized = torch.nn.functional.interpolate(labels[None].float(), shape, mode='nearest')[0].to(labels.dtype)
        sample.gt_sem_seg = PixelData(metainfo=sample.gt_sem_seg.metainfo, sem_seg=resized)
    before = sample.metainfo.get('scale_factor', (1.0, 1.0))
    sample.set_metainfo({'img_shape': shape, 'batch_input_shape': shape, 'pad_shape': shape,
                         'scale_factor': (before[0] * scale[0], before[1] * scale[1])})
