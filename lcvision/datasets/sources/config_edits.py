"""What the tasks change in a config to point it at other data."""
from collections.abc import Sequence
from typing import Any

from mmengine.config import ConfigDict
from mmengine.logging import print_log

from lcvision.config import inner_dicts
from lcvision.datasets.layout import Split
from lcvision.errors import UserError

# Entries of losses: lists with a number for each class, perhaps with one more for the background.
_WEIGHTS = {'class_weight', 'pos_weight', 'alpha'}
# Keys in pixels of the known steps, and whether the width comes first. Images are resized to scales, which grow with
# them; a window is a part of an image, and lies in it.
_SCALES = {('Resize', 'scale'): True, ('RandomResize', 'scale'): True, ('RandomChoiceResize', 'scales'): True,
           ('MultiScaleFlipAug', 'scales'): True, ('ResizeShortestEdge', 'scale'): True,
           ('ResizeShortestEdge', 'max_size'): True, ('RandomMosaic', 'img_scale'): False}
_WINDOWS = {('RandomCrop', 'crop_size'): False, ('CenterCrop', 'crop_size'): True, ('Pad', 'size'): True,
            ('SegDataPreProcessor', 'size'): False, ('', 'size'): False}
# Sizes in other steps, too; what they have to become is not known.
_SIZES = {'scale', 'scales', 'img_scale', 'img_scales', 'crop_size', 'size', 'max_size', 'height', 'width', 'pad_shape',
          'crop_shape', 'output_size', 'input_size', 'target_size', 'resize_shape'}

Size = tuple[int, int]


def innermost(dataset: ConfigDict) -> ConfigDict:
    """The data set inside wrappers such as RepeatDataset."""
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def as_list(value: ConfigDict | list) -> list:
    """One evaluator or several, as several."""
    return list(value) if isinstance(value, list | tuple) else [value]


def set_num_classes(model: ConfigDict | list, num_classes: int, other: bool = False, former: int | None = None) -> None:
    """Sets ``num_classes`` wherever a model's config has it, and with it the length of the lists of class weights.

    The weights of other classes say nothing about these: they become 1, or what they all were.

    Args:
        model, num_classes: Changed in place, and the number of classes.
        other: Whether the classes are others even where they are as many.
        former: What ``num_classes`` was in the part that ``model`` belongs to.
    """
    if isinstance(model, dict):
        former = model.get('num_classes', former)
        for key in _WEIGHTS & model.keys():
            weights = model[key]
            if former and isinstance(weights, list | tuple) and len(weights) >= former and (
                    other or former != num_classes):
                model[key] = [weights[0] if len({*weights[:former]}) == 1 else 1.] * num_classes + [*weights[former:]]
                print_log(f'{key} of {model.get("type", "the model")} was for {former} other classes: it is now '
                          f'{model[key]}', logger='current')
        if 'num_classes' in model:
            model['num_classes'] = num_classes
    for value in model.values() if isinstance(model, dict) else model:
        if isinstance(value, dict | list | tuple):
            set_num_classes(value, num_classes, other, former)


def difference(a: tuple[str, ...], b: tuple[str, ...]) -> str:
    """Where two lists of classes differ."""
    if len(a) != len(b):
        return f'{len(a)} against {len(b)}'
    index = next(i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1])
    return f'{a[index]!r} against {b[index]!r} at place {index}'


def check_same_classes(train: Split, val: Split) -> None:
    """Refuses splits with different classes."""
    if train.classes != val.classes:
        raise UserError(f'{train.place} and {val.place} have different classes '
                        f'({difference(train.classes, val.classes)}): both must have the same names in the same order')


def fit_sizes(steps: ConfigDict | list, before: Size | None, now: Size) -> None:
    """Changes the sizes in pixels of a pipeline, so that it does to other images what it did to its own.

    Scales keep their ratio to the images, and windows become no larger than these. A size of an unknown step, and a
    scale if ``before`` is None, cannot be changed and is an error.

    Args:
        steps: Configs of the steps, changed in place, however nested.
        before: Usual (width, height) of the images that they are written for, None if that is not known.
        now: Usual (width, height) of the images that they get.
    """
    for step in inner_dicts(steps):
        name = str(step.get('type', '')).rpartition('.')[2]
        for key, value in step.items():
            kind = name, key
            if value is None or isinstance(value, dict):
                continue
            if kind in _WINDOWS:
                limits = _ordered(now, _WINDOWS[kind])
                new = min(value, *limits) if isinstance(value, int) else tuple(map(min, value, limits))
                _set(step, *kind, new, now)
            elif before != now and (kind in _SCALES or key in _SIZES):
                if kind not in _SCALES or before is None:
                    remedy = ('give the size of the images it is for with --cfg-options "image_size=(W, H)"'
                              if before is None else 'remove the step or, if it fits them, say so with --cfg-options '
                              f'"image_size=({now[0]}, {now[1]})"')
                    raise UserError(f'the step {name} has {key}={value} in pixels, and what that has to be for images '
                                    f'of {now[0]}x{now[1]} is not known: {remedy}')
                ratios = _ordered((now[0] / before[0], now[1] / before[1]), _SCALES[kind])
                _set(step, *kind, _scaled(value, ratios, key == 'scales' and isinstance(value, list)), now)


def _ordered(pair: tuple[Any, Any], width_first: bool) -> tuple[Any, Any]:
    return pair if width_first else pair[::-1]


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
        print_log(f'{name}: {key} {step[key]} becomes {value}: the images are {now[0]}x{now[1]}', logger='current')
    step[key] = value
