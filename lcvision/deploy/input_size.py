"""The size that a config's images have when they reach the network."""
import re
from collections.abc import Iterator

from mmengine.config import Config

from lcvision.config import class_name
from lcvision.errors import UserError

_RESIZES = ('Resize', 'Pad', 'CenterCrop', 'EfficientNetCenterCrop')


def parse_input_size(text: str) -> tuple[int, int]:
    """Height and width of a text such as '416x416'; refuses another with a :class:`UserError`."""
    found = re.fullmatch(r'([1-9]\d{0,4})[xX]([1-9]\d{0,4})', text.strip())
    if not found:
        raise UserError(f'input size {text!r} is not HEIGHTxWIDTH in pixels: write for example 416x416 or 512x1024')
    return int(found[1]), int(found[2])


def find_input_size(config: Config) -> tuple[int, int]:
    """Height and width after the test pipeline, sliding windows and padding.

    A pipeline that keeps the aspect ratio has no single size: its whole ``scale`` counts, padded as the data
    preprocessor pads. For one that leaves images as they are, as in segmentation, the config's ``image_size`` counts,
    (width, height). A config that does not say is refused with a :class:`UserError`.
    """
    model = config.get('model') or {}
    test_cfg, preprocessor = model.get('test_cfg') or {}, model.get('data_preprocessor') or {}
    size = next(filter(None, map(_pipeline_size, evaluation_pipelines(config))), None)
    if test_cfg.get('mode') == 'slide':
        size = _pair(test_cfg['crop_size'])
    elif not size and preprocessor.get('size'):
        size = _pair(preprocessor['size'])
    elif not size and config.get('image_size'):
        size = _pair(config.image_size)[::-1]
    if not size:
        raise UserError(f'{config.filename} does not say how large its test images are (no Resize, Pad or CenterCrop '
                        'in the test pipeline, and no image_size): give --input-size HxW, or input_size of the hook')
    divisor = preprocessor.get('pad_size_divisor') or preprocessor.get('size_divisor') or 1
    height, width = (-(-side // divisor) * divisor for side in size)
    return height, width


def evaluation_pipelines(config: Config) -> Iterator[list]:
    """The pipelines of a config's test data, then of its validation data, where it has them."""
    for name in ('test_dataloader', 'val_dataloader'):
        dataset = (config.get(name) or {}).get('dataset') or {}
        while isinstance(dataset, dict) and dataset:
            if dataset.get('pipeline'):
                yield dataset['pipeline']
            dataset = dataset.get('dataset') or next(iter(dataset.get('datasets') or ()), {})
    if config.get('test_pipeline'):
        yield config.test_pipeline


def _pipeline_size(pipeline: list) -> tuple[int, int] | None:
    size = None
    for step in pipeline:
        value = step.get('scale') or step.get('size') or step.get('crop_size')
        if class_name(step) in _RESIZES and value:
            # mmcv writes these three as (width, height).
            size = _pair(value)[::-1]
    return size


def _pair(value: int | list | tuple) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))
