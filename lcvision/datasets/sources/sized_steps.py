"""Sizes in pixels in a pipeline: what they become for images of another size."""
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import print_log

from lcvision.errors import UserError

Size = tuple[int, int]

# Keys in pixels of the steps that are known, and whether the width comes first. Images are brought to scales, which
# grow with them; a window is a part of an image, and lies in it.
_SCALES = {('Resize', 'scale'): True, ('RandomResize', 'scale'): True, ('RandomChoiceResize', 'scales'): True,
           ('MultiScaleFlipAug', 'scales'): True, ('ResizeShortestEdge', 'scale'): True,
           ('ResizeShortestEdge', 'max_size'): True, ('RandomMosaic', 'img_scale'): False}
_WINDOWS = {('RandomCrop', 'crop_size'): False, ('CenterCrop', 'crop_size'): True, ('Pad', 'size'): True,
            ('SegDataPreProcessor', 'size'): False, ('', 'size'): False}
# Of other steps these are sizes, too; what has to become of them is not known.
_SIZES = {'scale', 'scales', 'img_scale', 'img_scales', 'crop_size', 'size', 'max_size', 'height', 'width', 'pad_shape',
          'crop_shape', 'output_size', 'input_size', 'target_size', 'resize_shape'}


def fit_sizes(steps: Sequence | Mapping, before: Size | None, now: Size) -> None:
    """Changes the sizes in pixels of a pipeline, so that it does to other images what it did to its own.

    Scales keep their ratio to the images, and windows are made no larger than these.

    Args:
        steps: Configs of the steps, changed in place, however nested.
        before: Usual (width, height) of the images that they are written for, None if that is not known.
        now: Usual (width, height) of the images that they get.

    Raises:
        UserError: A size is there that cannot be changed: of an unknown step, or a scale while ``before`` is None.
    """
    for step in [steps] if isinstance(steps, Mapping) else steps:
        if not isinstance(step, Mapping):
            if isinstance(step, list | tuple):
                fit_sizes(step, before, now)
            continue
        name = str(step.get('type', '')).rpartition('.')[2]
        for key, value in list(step.items()):
            kind = name, key
            if isinstance(value, Mapping) or key == 'transforms':
                fit_sizes(value, before, now)
            elif value is not None and kind in _WINDOWS:
                _set(step, *kind, _inside(value, _ordered(now, _WINDOWS[kind])), now)
            elif value is not None and before != now and (kind in _SCALES or key in _SIZES):
                if kind not in _SCALES or before is None:
                    raise _unclear(name, key, value, before, now)
                ratios = _ordered((now[0] / before[0], now[1] / before[1]), _SCALES[kind])
                _set(step, *kind, _scaled(value, ratios, key == 'scales' and isinstance(value, list)), now)


def _ordered(pair: tuple[Any, Any], width_first: bool) -> tuple[Any, Any]:
    return pair if width_first else pair[::-1]


def _inside(value: Any, limits: Size) -> Any:
    return min(value, *limits) if isinstance(value, int) else tuple(map(min, value, limits))


def _scaled(value: Any, ratios: Sequence[float], several: bool = False) -> Any:
    if isinstance(value, int):
        return _grown(value, max(ratios))
    if several or not all(isinstance(length, int) for length in value):
        return [_scaled(one, ratios) for one in value]
    return tuple(map(_grown, value, ratios))


def _grown(length: int, ratio: float) -> int:
    # -1 stands for any length.
    return max(1, round(length * ratio)) if length > 0 else length


def _set(step: Any, name: str, key: str, value: Any, now: Size) -> None:
    if step[key] != value and step[key] != list(value if isinstance(value, tuple) else ()):
        print_log(f'{name}: {key} {step[key]} is made {value}: the images are {now[0]}x{now[1]}', logger='current')
    step[key] = value


def _unclear(name: str, key: str, value: Any, before: Size | None, now: Size) -> UserError:
    images = f'{now[0]}x{now[1]}'
    remedy = ('say for which images it is with --cfg-options "image_size=(W, H)"' if before is None else
              f'take the step out or, if it fits them, say so with --cfg-options "image_size=({now[0]}, {now[1]})"')
    return UserError(f'the step {name} has {key}={value} in pixels, and what that has to '
                     f'be for images of {images} is not known: {remedy}')
