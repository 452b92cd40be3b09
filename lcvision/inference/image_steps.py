"""From an image to the pixels that the network looks at, as a config's test pipeline does it."""
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import Resize
from mmengine.config import Config
from mmengine.registry import TRANSFORMS, DefaultScope

from lcvision.datasets.image_bounds import check_size
from lcvision.datasets.transforms import LoadImage
from lcvision.deploy.input_size import evaluation_pipelines
from lcvision.errors import UserError

_READER_KEYS = ('color_type', 'imdecode_backend')


@dataclass
class Sample:
    """An image on its way through a model.

    Args:
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
