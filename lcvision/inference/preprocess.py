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

from lcvision.datasets.image_bounds import check_size
from lcvision.datasets.transforms import LoadImage
from lcvision.deploy.input_size import evaluation_pipelines
from lcvision.errors import UserError

_READER_KEYS = ('color_type', 'imdecode_backend')


@dataclass
class Sample:
    """An image on its way through a model.

    Attributes:
        image: BGR, uint8 as a rule, shape (h, w, 3).
        meta: ``ori_shape`` and ``img_shape``, (height, width) as loaded and as it is now, and ``scale_factor``,
            (width, height) of the second in units of the first.
    """

    image: np.ndarray
    meta: dict = field(default_factory=dict)


class ImageSteps:
    """Reader and geometry of a test pipeline, without annotations and packing.

    The transforms are the pipeline's own, so sizes, interpolation and ratio are what an evaluation has; an image of a
    resizing pipeline costs one cv2.resize and some microseconds around it.

    Args:
        config: A whole config.

    Raises:
        UserError: It has no test pipeline, or one that does not build or augments.
    """

    def __init__(self, config: Config):
        pipeline = next(evaluation_pipelines(config), None)
        if not pipeline:
            raise UserError(f'{config.filename} has no test_dataloader with a pipeline, which says how images are '
                            'prepared: give a whole config, not a base of one')
        names = [_name(step) for step in pipeline]
        if 'TestTimeAug' in names:
            raise UserError(f'{config.filename}: its test pipeline augments (TestTimeAug), which gives several inputs '
                            'an image: name the plain pipeline in test_dataloader.dataset.pipeline')
        loader = next((dict(step) for step, name in zip(pipeline, names) if name.startswith('Load')), {})
        self._reader = LoadImage(**{key: loader[key] for key in _READER_KEYS if key in loader})
        self._dtype = np.float32 if loader.get('to_float32') else np.uint8
        self._steps: list[Callable[[dict], Any]] = []
        with DefaultScope.overwrite_default_scope(config.get('default_scope') or 'mmengine'):
            for step, name in zip(pipeline, names):
                if not name.startswith(('Load', 'Pack')):
                    self._steps.append(_build(step, name, config))

    def read(self, path: str | Path) -> np.ndarray:
        """Reads an image file.

        Raises:
            UserError: It is missing, cannot be read, ends early or is no image.
        """
        try:
            return self._reader.decode(str(path), Path(path).read_bytes())
        except FileNotFoundError:
            raise UserError(f'there is no image {path}: give the path of an image file') from None
        except OSError as error:
            raise UserError(f'{path} cannot be read ({error.strerror}): give a file that you may read') from error

    def decode(self, content: bytes) -> np.ndarray:
        """Decodes an image file held in memory.

        Raises:
            UserError: It ends early or is no image.
        """
        return self._reader.decode(f'({len(content)} bytes in memory)', content)

    def __call__(self, image: np.ndarray) -> Sample:
        """Prepares an image.

        Args:
            image: BGR uint8, shape (H, W, 3).

        Raises:
            UserError: It is too large or too thin.
        """
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


def _name(step: dict) -> str:
    kind = step['type']
    return (kind if isinstance(kind, str) else kind.__name__).rsplit('.', 1)[-1]


def _build(step: dict, name: str, config: Config) -> Callable[[dict], Any]:
    try:
        transform = TRANSFORMS.build(step)
    except Exception as error:
        raise UserError(f'{name} of the test pipeline of {config.filename} does not build: {error}') from error
    if isinstance(transform, Resize) and transform.scale:
        return partial(_resize_image, transform)
    return transform


def _resize_image(transform: Resize, results: dict) -> dict:
    # Its work on annotations that are not there takes a third of what the resize itself does.
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
        pad_value: What is put right of and below the image, after normalisation.
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
        """Reads it from the data preprocessor of mmdet, mmseg or mmpretrain.

        Raises:
            UserError: It is none of theirs.
        """
        values: dict = {}
        if getattr(preprocessor, '_enable_normalize', False):
            values = {name: getattr(preprocessor, name).detach().float().expand(3, 1, 1) for name in ('mean', 'std')}
        if isinstance(preprocessor, ImgDataPreprocessor):
            return cls(**values, swap=preprocessor._channel_conversion, pad_value=float(preprocessor.pad_value),
                       divisor=preprocessor.pad_size_divisor)
        if type(preprocessor).__name__ == 'ClsDataPreprocessor':
            return cls(**values, swap=preprocessor.to_rgb, pad_value=float(preprocessor.pad_value),
                       divisor=preprocessor.pad_size_divisor)
        if type(preprocessor).__name__ == 'SegDataPreProcessor':
            # mmseg pads tests by this alone.
            padding = preprocessor.test_cfg or {}
            return cls(**values, swap=preprocessor.channel_conversion, pad_value=float(preprocessor.pad_val),
                       divisor=padding.get('size_divisor') or 1, size=padding.get('size'))
        raise UserError(f'{type(preprocessor).__name__} is no data preprocessor whose work is known here: it must be '
                        'DetDataPreprocessor, SegDataPreProcessor or ClsDataPreprocessor')

    def padded(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Height and width of the network's input for an image of this height and width."""
        height, width = (max(pair) for pair in zip(shape[:2], self.size or (0, 0)))
        return -(-height // self.divisor) * self.divisor, -(-width // self.divisor) * self.divisor


class NetworkInput:
    """One input tensor that images of one size are written into, again and again.

    The values are, to the last bit, those of the data preprocessors. Folding mean and standard deviation into the
    first convolution would save 0.1 ms at 416 x 416 but is not exact where that convolution pads.

    Args:
        shape: Height and width of the images.
        example: A tensor of the padded size, (1, 3, H, W), in the memory layout that the network prefers.
        normalisation: What is done.
    """

    def __init__(self, shape: tuple[int, int], example: torch.Tensor, normalisation: Normalisation):
        height, width = shape
        self._rule = normalisation
        self._rows = not example.is_contiguous()
        layout = torch.channels_last if self._rows else torch.contiguous_format
        self._buffer = torch.full(example.shape, normalisation.pad_value).contiguous(memory_format=layout)
        inside = self._buffer[0, :, :height, :width]
        mean, std = normalisation.mean, normalisation.std
        if self._rows:
            # Rows of height x (width * 3), so that every operation runs along whole rows.
            self._target = inside.permute(1, 2, 0).flatten(1)
            self._swapped = np.empty((height, width, 3), np.uint8)
            self._parts = [(self._target, torch.from_numpy(self._swapped).flatten(1))]
            mean, std = (None if x is None else x.flatten().repeat(width) for x in (mean, std))
        else:
            self._target = inside
            self._planes = [np.empty(shape, np.uint8) for _ in range(3)]
            order = self._planes[::-1] if normalisation.swap else self._planes
            self._parts = [(plane, torch.from_numpy(source)) for plane, source in zip(inside, order, strict=True)]
        self._mean, self._std = mean, std

    def __call__(self, image: np.ndarray) -> torch.Tensor:
        """Writes an image.

        Args:
            image: BGR, uint8 or a float type, shape (h, w, 3).

        Returns:
            (1, 3, H, W), the same memory at every call.
        """
        if image.dtype != np.uint8:
            self._write_floats(image)
        elif self._rows:
            if self._rule.swap:
                cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=self._swapped)
            else:
                self._swapped[...] = image
        else:
            cv2.split(image, self._planes)
        if image.dtype == np.uint8:
            for target, source in self._parts:
                target.copy_(source)
        if self._mean is not None and self._std is not None:
            self._target.sub_(self._mean).div_(self._std)
        return self._buffer

    def _write_floats(self, image: np.ndarray) -> None:
        channels = image[..., ::-1] if self._rule.swap else image
        self._target.copy_(torch.from_numpy(np.ascontiguousarray(channels, np.float32)).flatten(1) if self._rows
                           else torch.from_numpy(np.ascontiguousarray(channels.transpose(2, 0, 1), np.float32)))
