"""The metadata of an exported file as they are read, without torch; anybody may have written them."""
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lcvision.errors import UserError
from lcvision.tasks import TASKS

KEY = 'lcvision'
SCHEMA = 1
# Of an image; a file could ask for gigabytes.
_LARGEST_SIDE = 16384
_INTERPOLATIONS = ('nearest', 'bilinear', 'bicubic', 'area', 'lanczos', 'box', 'hamming')


def parse(text: str | None, path: str | Path) -> dict[str, Any]:
    """The metadata from their JSON.

    Raises:
        UserError: There are none, they are faulty or of a later version.
    """
    try:
        found = json.loads(text or '')
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get('schema'), int):
        raise UserError(f'{path} has no lcvision metadata, which say how images are prepared: export it with '
                        'lcvision export')
    if found['schema'] > SCHEMA:
        raise UserError(f'{path} was written by a later lcvision (metadata {found["schema"]}, known here up to '
                        f'{SCHEMA}): install that one')
    wrong = [name for name, right in _RULES.items() if not right(_value(found, name))]
    if wrong:
        raise UserError(f'{path} has no proper {", ".join(wrong)} in its metadata: export it anew with lcvision export')
    return found


def _value(found: Mapping[str, Any], name: str) -> Any:
    group, _, key = name.rpartition('.')
    values = found.get(group) if group else found
    return values.get(key) if isinstance(values, dict) else None


def _is_whole(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= _LARGEST_SIDE


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_channels(value: Any) -> bool:
    return value is None or (isinstance(value, list) and len(value) == 3 and all(map(_is_number, value)))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_steps(steps: Any) -> bool:
    return isinstance(steps, list) and all(isinstance(step, dict) and _is_step(step) for step in steps)


def _is_step(step: dict[str, Any]) -> bool:
    if step.get('op') == 'center_crop':
        return _is_size(step.get('size'))
    known = step.get('interpolation') in _INTERPOLATIONS and step.get('backend') in ('cv2', 'pillow')
    rest: dict[Any, Callable[[], bool]] = {
        'resize': lambda: _is_size(step.get('size')) and isinstance(step.get('keep_ratio'), bool),
        'resize_edge': lambda: _is_whole(step.get('size')) and step.get('edge') in ('short', 'long', 'width', 'height'),
        'efficientnet_crop': lambda: _is_whole(step.get('size')) and _is_whole(step.get('padding'), 0)}
    return known and step.get('op') in [*rest] and rest[step['op']]()


_RULES: dict[str, Callable[[Any], bool]] = {
    'task': lambda value: value in [*TASKS], 'graph': lambda value: value in ('net', 'boxes', 'end2end'),
    'precision': lambda value: isinstance(value, str), 'names': _are_texts, 'maps': _are_texts,
    'input.size': _is_size, 'input.divisor': _is_whole, 'input.mean': _are_channels, 'input.std': _are_channels,
    'input.colour': lambda value: value in ('RGB', 'BGR'), 'input.layout': lambda value: value in ('NCHW', 'NHWC'),
    'input.dynamic': lambda value: value in (None, 'batch', 'size'), 'input.pad_value': _is_number,
    'input.normalised_inside': lambda value: isinstance(value, bool), 'input.steps': _are_steps,
    **dict.fromkeys(('int8.flags', 'mixed.flags'), lambda value: value is None or _are_texts(value)),
    'strides': lambda value: value is None or (isinstance(value, list) and all(map(_is_whole, value)))}
