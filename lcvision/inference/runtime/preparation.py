"""From an image to the input of an exported file, by its metadata alone."""
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lcvision.errors import UserError
from lcvision.image_file import check_size

_CV2 = {'nearest': cv2.INTER_NEAREST, 'bilinear': cv2.INTER_LINEAR, 'bicubic': cv2.INTER_CUBIC,
        'area': cv2.INTER_AREA, 'lanczos': cv2.INTER_LANCZOS4}
_PILLOW = {'nearest': 'NEAREST', 'bilinear': 'BILINEAR', 'bicubic': 'BICUBIC', 'box': 'BOX', 'lanczos': 'LANCZOS',
           'hamming': 'HAMMING'}


@dataclass(frozen=True)
class PreparedImage:
    """An image as an exported file takes it.

    Attributes:
        x: The file's input, of one image.
        shape: Height and width of the image within it, without padding.
        original: Height and width of the image as it was.
        scale: (width, height) of the first in units of the second.
    """

    x: np.ndarray
    shape: tuple[int, int]
    original: tuple[int, int]
    scale: tuple[float, float]


def prepare_image(image: np.ndarray, rule: dict[str, Any]) -> PreparedImage:
    """Resizes, orders colours, normalises and pads as the metadata say.

    Args:
        image: BGR uint8, shape (H, W, 3).
        rule: ``input`` of the metadata.

    Raises:
        UserError: It is too large or too thin, or does not become an input of the file's size.
    """
    check_size('the image', image.shape[1], image.shape[0])
    original, scale = image.shape[:2], (1., 1.)
    for step in rule['steps']:
        before = image.shape
        image = _STEPS[step['op']](image, step)
        if step['op'].startswith('resize'):
            scale = image.shape[1] / before[1], image.shape[0] / before[0]
    shape = image.shape[:2]
    size = _input_size(shape, rule)
    if rule['normalised_inside']:
        return PreparedImage(np.ascontiguousarray(image[..., ::-1] if rule['colour'] == 'RGB' else image)[None], shape,
                             original, scale)
    x = np.full((1, 3, *size), rule['pad_value'], np.float32)
    planes = cv2.split(image)
    for place, plane in enumerate(reversed(planes) if rule['colour'] == 'RGB' else planes):
        target = x[0, place, :shape[0], :shape[1]]
        np.subtract(plane, np.float32(rule['mean'][place] if rule['mean'] else 0), out=target)
        if rule['std']:
            target /= np.float32(rule['std'][place])
    return PreparedImage(x, shape, original, scale)


def _input_size(shape: tuple[int, ...], rule: dict[str, Any]) -> tuple[int, int]:
    """Height and width of the input: those of the image, padded to multiples of the divisor.

    Raises:
        UserError: The file has one size, and this is another.
    """
    height, width = (-(-side // rule['divisor']) * rule['divisor'] for side in shape)
    if (rule['dynamic'] != 'size' and [height, width] != list(rule['size'])) or \
            (rule['normalised_inside'] and (height, width) != shape):
        wanted = f"multiples of {rule['divisor']}" if rule['dynamic'] == 'size' else '{}x{}'.format(*rule['size'])
        raise UserError(f'an image of {shape[0]}x{shape[1]} (height x width) becomes an input of {height}x{width}, and '
                        f'the file takes {wanted}: give images of that size, or export with --dynamic size and --input '
                        'float')
    return height, width


def _scaled(image: np.ndarray, height: int, width: int, step: dict[str, Any]) -> np.ndarray:
    check_size('the image as the metadata would have it', width, height)
    if step['backend'] == 'pillow':
        from PIL import Image
        way = getattr(Image.Resampling, _PILLOW[step['interpolation']])
        return np.array(Image.fromarray(image).resize((width, height), way))
    return cv2.resize(image, (width, height), interpolation=_CV2[step['interpolation']])


def _resize(image: np.ndarray, step: dict[str, Any]) -> np.ndarray:
    height, width = step['size']
    if step['keep_ratio']:
        sides = image.shape[:2]
        factor = min(max(height, width) / max(sides), min(height, width) / min(sides))
        height, width = (int(side * float(factor) + 0.5) for side in sides)
    return _scaled(image, height, width, step)


def _resize_edge(image: np.ndarray, step: dict[str, Any]) -> np.ndarray:
    (height, width), edge, size = image.shape[:2], step['edge'], step['size']
    if edge == 'width' or (edge == 'short' and width < height) or (edge == 'long' and width > height):
        return _scaled(image, int(size * height / width), size, step)
    return _scaled(image, size, int(size * width / height), step)


def _center_crop(image: np.ndarray, step: dict[str, Any]) -> np.ndarray:
    top, left = (max(0, round((side - wanted) / 2)) for side, wanted in zip(image.shape[:2], step['size']))
    return image[top:top + step['size'][0], left:left + step['size'][1]]


def _efficientnet_crop(image: np.ndarray, step: dict[str, Any]) -> np.ndarray:
    size = step['size']
    side = size / (size + step['padding']) * min(image.shape[:2])
    top, left = (max(0, round((length - side) / 2)) for length in image.shape[:2])
    return _scaled(image[top:int(top + side - 1) + 1, left:int(left + side - 1) + 1], size, size, step)


_STEPS = {'resize': _resize, 'resize_edge': _resize_edge, 'center_crop': _center_crop,
          'efficientnet_crop': _efficientnet_crop}
