"""From an image to the network's input: the steps of a test pipeline, and tensors that are allocated once."""
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import Resize
from mmengine.config import Config
from mmengine.model import ImgDataPreprocessor
from mmengine.registry import TRANSFORMS, DefaultScope

from lcvision.config import class_name
from lcvision.datasets.transforms import LoadImage
from lcvision.deploy.input_size import evaluation_pipelines
from lcvision.errors import UserError
from lcvision.image_file import check_size, in_memory, read_image

_READER_KEYS = ('color_type', 'imdecode_backend')
# Data preprocessors of mmengine and mmdet, mmpretrain and mmseg, and what each calls the swap of channels.
_SWAPS = {'ImgDataPreprocessor': '_channel_conversion', 'ClsDataPreprocessor': 'to_rgb',
          'SegDataPreProcessor': 'channel_conversion'}


@dataclass
class Sample:
    """An image on its way through a model.

    Attributes:
        image: BGR, usually uint8, shape (h, w, 3).
        meta: ``ori_shape`` and ``img_shape``, (height, width) as loaded and as it is now, and ``scale_factor``,
            (width, height) of the second in units of the first.
    """

    image: np.ndarray
    meta: dict = field(default_factory=dict)


class ImageSteps:
    """Reader and geometry of a test pipeline, without annotations and packing.

    The transforms are the pipeline's own, so sizes, interpolation and ratio are those of an evaluation; an image of a
    resizing pipeline costs one cv2.resize and a few microseconds more. A config without a test pipeline, or with one
    that does not build or augments, is a UserError.
    """

    def __init__(self, config: Config):
        pipeline = next(evaluation_pipelines(config), None)
        if not pipeline:
            raise UserError(f'{config.filename} has no test_dataloader with a pipeline, which says how images are '
                            'prepared: give a whole config, not a base of one')
        names = list(map(class_name, pipeline))
        if 'TestTimeAug' in names:
            raise UserError(f'{config.filename}: its test pipeline augments (TestTimeAug), which gives several inputs '
                            'an image: name the plain pipeline in test_dataloader.dataset.pipeline')
        loader = next((dict(step) for step, name in zip(pipeline, names) if name.startswith('Load')), {})
        self._reader = LoadImage(**{key: loader[key] for key in _READER_KEYS if key in loader})
        self._dtype = np.float32 if loader.get('to_float32') else np.uint8
        with DefaultScope.overwrite_default_scope(config.get('default_scope') or 'mmengine'):
            self._steps = [_build(step, name, config) for step, name in zip(pipeline, names)
                           if not name.startswith(('Load', 'Pack'))]

    def read(self, path: str | Path) -> np.ndarray:
        """Reads an image file; raises UserError if it is missing, cannot be read, ends early or is no image."""
        return read_image(path, self._reader.decode)

    def decode(self, content: bytes) -> np.ndarray:
        """Decodes an image file held in memory; raises UserError if it ends early or is no image."""
        return self._reader.decode(in_memory(content), content)

    def __call__(self, image: np.ndarray) -> Sample:
        """Prepares a BGR uint8 image of shape (H, W, 3); raises UserError if it is too large or too thin."""
        shape = image.shape[:2]
        check_size('the image', *shape[::-1])
        results: dict = {'img': image.astype(self._dtype, copy=False), 'img_shape': shape, 'ori_shape': shape}
        for step in self._steps:
            results = step(results)
        image = results['img']
        return Sample(image, dict(ori_shape=shape, img_shape=image.shape[:2],
                                  scale_factor=results.get('scale_factor', (1., 1.))))

    def fixed_shape(self) -> tuple[int, int] | None:
        """Height and width that every image gets, None when they depend on the image."""
        first, second = (self(np.zeros((*shape, 3), np.uint8)).image.shape[:2] for shape in ((480, 640), (1200, 700)))
        return first if first == second else None


def _build(step: dict, name: str, config: Config) -> Callable[[dict], Any]:
    try:
        transform = TRANSFORMS.build(step)
    except Exception as error:
        raise UserError(f'{name} of the test pipeline of {config.filename} does not build: {error}') from error
    if isinstance(transform, Resize) and transform.scale:
        return partial(_resize_image, transform)
    return transform


def _resize_image(transform: Resize, results: dict) -> dict:
    # Its work on missing annotations takes a third of the time of the resize itself.
    results['scale'] = transform.scale
    transform._resize_img(results)
    return results


@dataclass(frozen=True)
class Normalisation:
    """What an mm data preprocessor does to one image.

    Attributes:
        mean: Of each channel as the network gets it, shape (3, 1, 1), or None for none.
        std: Likewise.
        swap: Whether channels change from BGR to RGB.
        pad_value: What is put to the right of and below the image, after normalisation.
        divisor: Height and width are padded to multiples of it.
        size: Height and width are padded to at least these; None for no limit.
    """

    mean: torch.Tensor | None = None
    std: torch.Tensor | None = None
    swap: bool = False
    pad_value: float = 0.
    divisor: int = 1
    size: tuple[int, int] | None = None

    @classmethod
    def of(cls, preprocessor: Any) -> 'Normalisation':
        """Reads it from the data preprocessor of mmdet, mmseg or mmpretrain; raises UserError for any other."""
        kind = 'ImgDataPreprocessor' if isinstance(preprocessor, ImgDataPreprocessor) else type(preprocessor).__name__
        if kind not in _SWAPS:
            raise UserError(f'{kind} is no data preprocessor whose work is known here: it must be '
                            'DetDataPreprocessor, SegDataPreProcessor or ClsDataPreprocessor')
        values: dict = {'swap': getattr(preprocessor, _SWAPS[kind])}
        if getattr(preprocessor, '_enable_normalize', False):
            values |= {name: getattr(preprocessor, name).detach().float().expand(3, 1, 1) for name in ('mean', 'std')}
        if kind != 'SegDataPreProcessor':
            return cls(**values, pad_value=float(preprocessor.pad_value), divisor=preprocessor.pad_size_divisor)
        padding = preprocessor.test_cfg or {}  # mmseg pads tests by this alone
        return cls(**values, pad_value=float(preprocessor.pad_val), divisor=padding.get('size_divisor') or 1,
                   size=padding.get('size'))

    def padded(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Height and width of the network's input for an image of this height and width."""
        height, width = (max(pair) for pair in zip(shape[:2], self.size or (0, 0)))
        return -(-height // self.divisor) * self.divisor, -(-width // self.divisor) * self.divisor


class NetworkInput:
    """One input tensor that images of one size are written into, again and again.

    Images of the height and width ``shape`` make an input of the shape ``padded``, (1, 3, H, W). The values are, to the
    last bit, those of the data preprocessors. Folding mean and standard deviation into the first convolution would save
    0.1 ms at 416 x 416 but is not exact where that convolution pads.
    """

    def __init__(self, normalisation: Normalisation, shape: tuple[int, int], padded: torch.Size, channels_last: bool):
        height, width = shape
        self._swap, self._rows = normalisation.swap, channels_last
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self._buffer = torch.full(padded, normalisation.pad_value).contiguous(memory_format=layout)
        self._target = self._buffer[0, :, :height, :width]
        self._mean, self._std = normalisation.mean, normalisation.std
        if self._rows:
            # Rows of height x (width * 3), so that every operation runs along whole rows.
            self._target = self._target.permute(1, 2, 0).flatten(1)
            self._mean, self._std = (x if x is None else x.flatten().repeat(width) for x in (self._mean, self._std))
            self._pixels = np.empty((*shape, 3), np.uint8)
        else:
            self._channels = list(self._target)
            self._planes = [np.empty(shape, np.uint8) for _ in range(3)]

    def __call__(self, image: np.ndarray) -> torch.Tensor:
        """Writes a BGR image, uint8 or a float type, shape (h, w, 3); returns (1, 3, H, W), always the same memory."""
        # Floats get new arrays from cv2, bytes those held here.
        image = np.require(image, np.uint8 if image.dtype == np.uint8 else np.float32, ('C', 'W'))
        if self._rows:
            pixels = cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=self._pixels) if self._swap else image
            self._target.copy_(torch.from_numpy(pixels).flatten(1))
        else:
            planes = cv2.split(image, self._planes)
            for target, plane in zip(self._channels, reversed(planes) if self._swap else planes):
                target.copy_(torch.from_numpy(plane))
        if self._mean is not None and self._std is not None:
            self._target.sub_(self._mean).div_(self._std)
        return self._buffer
