"""Nested outputs of a head, laid out flat and put together again."""
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import torch


def flatten(outputs: object) -> tuple[torch.Tensor, ...]:
    """All tensors of nested tuples, lists and dicts, in order."""
    if isinstance(outputs, torch.Tensor):
        return (outputs,)
    if isinstance(outputs, dict):
        outputs = tuple(outputs.values())
    if isinstance(outputs, (tuple, list)):
        return tuple(tensor for part in outputs for tensor in flatten(part))
    return ()


def nesting_of(outputs: object) -> Any:
    """The nesting of a head's outputs, with the place among the flat ones instead of each tensor."""
    return _number(outputs, count())


def nest(nesting: Any, tensors: Sequence[torch.Tensor]) -> Any:
    """Puts flat tensors together.

    Args:
        nesting: What :func:`nesting_of` gave.
        tensors: In the order of :func:`flatten`.
    """
    if isinstance(nesting, int):
        return tensors[nesting]
    if isinstance(nesting, dict):
        return {key: nest(value, tensors) for key, value in nesting.items()}
    return [nest(value, tensors) for value in nesting] if isinstance(nesting, list) else nesting


def _number(outputs: object, numbers: Iterator[int]) -> Any:
    if isinstance(outputs, torch.Tensor):
        return next(numbers)
    if isinstance(outputs, dict):
        return {key: _number(value, numbers) for key, value in outputs.items()}
    return [_number(value, numbers) for value in outputs] if isinstance(outputs, (tuple, list)) else outputs
