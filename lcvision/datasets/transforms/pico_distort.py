"""The colour distortions of the reference PicoDet, 2021 and today."""
from collections.abc import Iterator

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from PIL import Image, ImageEnhance

from lcvision.registry import TRANSFORMS

RGB_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.321], [0.211, -0.523, 0.311]])
# Rounded to three digits in the reference too: a rotation by 0 is not exactly the identity.
YIQ_TO_RGB = np.array([[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.107, 1.705]])

Range = tuple[float, float]


@TRANSFORMS.register_module()
class PicoDistort(BaseTransform):
    """Distorts brightness, contrast, saturation and hue in random order, each skipped with probability ``skip``.

    ``'2021'`` works in float32, neither clipped nor rounded. Brightness *adds* its draw to pixel values of 0 to 255,
    contrast multiplies by it, saturation blends with the grey image, hue rotates the IQ plane of YIQ by pi times the
    draw, which over the range of the reference is nearly any angle. When all four are skipped, the image keeps its
    type. ``'pil'`` works on uint8 through Pillow's enhancement factors and adds the hue draw to Pillow's hue of 0 to
    255, which wraps.

    Args:
        version: ``'2021'`` for the detectors of 2021, ``'pil'`` for those of 2022 and later.
        brightness, hue: Lowest and highest draw.
        contrast, saturation: Lowest and highest factor; a saturation of 0 is grey.
        skip: Probability of leaving out one of the four, in [0, 1].
        channel_order: ``'bgr'`` as mmcv loads images, or ``'rgb'``.

    Source: RandomDistort of the reference, as of September 2021 and as of 2024.

    Differs: the chain of 2021 is affine in the pixel, so it is composed first and applied once; equal up to float32
        rounding.
    """

    def __init__(self, version: str = '2021', brightness: Range = (0.5, 1.5), contrast: Range = (0.5, 1.5),
                 saturation: Range = (0.5, 1.5), hue: Range = (-18.0, 18.0), skip: float = 0.5,
                 channel_order: str = 'bgr') -> None:
        if version not in ('2021', 'pil'):
            raise ValueError(f"PicoDistort: version must be '2021' or 'pil', got {version!r}.")
        if channel_order not in ('bgr', 'rgb'):
            raise ValueError(f"PicoDistort: channel_order must be 'bgr' or 'rgb', got {channel_order!r}.")
        if not 0 <= skip <= 1:
            raise ValueError(f'PicoDistort: skip is a probability from 0 to 1, got {skip}.')
        self.version, self.skip, self.channel_order = version, skip, channel_order
        self.ranges = {'brightness': brightness, 'contrast': contrast, 'saturation': saturation, 'hue': hue}

    def transform(self, results: dict) -> dict:
        """Distorts ``img``, (H, W, 3), of a data dict into a new array, float32 for ``'2021'``, uint8 for ``'pil'``."""
        steps = list(self._draw())
        if steps:
            distort = self._distort_affine if self.version == '2021' else self._distort_pil
            results['img'] = distort(results['img'], steps)
        return results

    def _draw(self) -> Iterator[tuple[str, float]]:
        names = list(self.ranges)
        for index in np.random.permutation(len(names)):
            if np.random.uniform() >= self.skip:
                yield names[index], np.random.uniform(*self.ranges[names[index]])

    def _distort_affine(self, img: np.ndarray, steps: list[tuple[str, float]]) -> np.ndarray:
        affine = np.eye(4)
        for name, value in steps:
            affine = _affine_step(name, value) @ affine
        if self.channel_order == 'bgr':
            affine = affine[[2, 1, 0, 3]][:, [2, 1, 0, 3]]
        return cv2.transform(img.astype(np.float32), affine[:3].astype(np.float32))

    def _distort_pil(self, img: np.ndarray, steps: list[tuple[str, float]]) -> np.ndarray:
        if img.dtype != np.uint8:
            raise ValueError(f"PicoDistort: version 'pil' needs a uint8 image, got {img.dtype}; put it before any "
                             'transform that turns the image into floats.')
        swap = self.channel_order == 'bgr'
        picture = Image.fromarray(cv2.cvtColor(img, cv2.COLOR_BGR2RGB) if swap else np.ascontiguousarray(img))
        for name, value in steps:
            picture = _pil_step(picture, name, value)
        img = np.array(picture)
        return cv2.cvtColor(img, cv2.COLOR_RGB2BGR, dst=img) if swap else img

    def __repr__(self) -> str:
        ranges = ', '.join(f'{name}={value}' for name, value in self.ranges.items())
        return (f'{type(self).__name__}(version={self.version!r}, {ranges}, skip={self.skip}, '
                f'channel_order={self.channel_order!r})')


def _affine_step(name: str, value: float) -> np.ndarray:
    """One distortion of 2021 as a matrix on (R, G, B, 1), shape (4, 4)."""
    step = np.eye(4)
    if name == 'brightness':
        step[:3, 3] = value
    elif name == 'contrast':
        step[:3, :3] *= value
    elif name == 'saturation':
        step[:3, :3] = value * np.eye(3) + (1 - value) * RGB_TO_YIQ[0]
    else:
        cos, sin = np.cos(np.pi * value), np.sin(np.pi * value)
        step[:3, :3] = YIQ_TO_RGB @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ RGB_TO_YIQ
    return step


def _pil_step(picture: Image.Image, name: str, value: float) -> Image.Image:
    if name != 'hue':
        enhancers = {'brightness': ImageEnhance.Brightness, 'contrast': ImageEnhance.Contrast,
                     'saturation': ImageEnhance.Color}
        return enhancers[name](picture).enhance(value)
    hue, *rest = picture.convert('HSV').split()
    shifted = np.trunc(np.arange(256) + value).astype(int) % 256
    return Image.merge('HSV', (hue.point(shifted.tolist()), *rest)).convert('RGB')
