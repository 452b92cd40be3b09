"""Reads Paddle's ``.pdparams`` pickles without running anything they ask for.

The admitted names resolve to stand-ins written here, never to numpy's own reconstructors: those trust the type codes
and sizes they are given, and a file is not to be trusted.
"""
import math
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

_NUMBERS = frozenset(('b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8'))


class RefusedGlobal(Exception):
    """A pickle asks for a function or class that no weights need."""


class _Frozen:
    """An admitted name: callable where pickle calls it, and closed to pickle's BUILD."""
    __slots__ = ('_call',)

    def __init__(self, call: Callable) -> None:
        self._call = call

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError('a pickle tried to change a function')


class _Dtype:
    __slots__ = ('value',)

    def __init__(self, code: str, *_: Any) -> None:
        if not isinstance(code, str) or code not in _NUMBERS:
            raise pickle.UnpicklingError(f'arrays of type {code!r} hold no weights')
        self.value = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        self.value = self.value.newbyteorder(state[1]) if state[1] in ('<', '>') else self.value


class _Array:
    __slots__ = ('value',)

    def __init__(self, *_: Any) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, raw = state
        self.value = _array(raw, dtype, shape, 'F' if fortran else 'C')


def _array(raw: bytes, dtype: _Dtype, shape: tuple, order: Literal['C', 'F']) -> np.ndarray:
    if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes | bytearray):
        raise pickle.UnpicklingError('an array is not made of numbers')
    if not all(isinstance(size, int) and size >= 0 for size in shape):
        raise pickle.UnpicklingError(f'an array has the impossible shape {shape!r}')
    flat = np.frombuffer(raw, dtype.value) if len(raw) else np.empty(0, dtype.value)
    if flat.size != math.prod(shape):
        raise pickle.UnpicklingError(f'an array of shape {shape} has {flat.size} numbers')
    return flat.reshape(shape, order=order).astype(dtype.value.newbyteorder('='))


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    if encoding not in ('latin1', 'latin-1'):
        raise pickle.UnpicklingError(f'bytes are encoded as {encoding!r}')
    return text.encode('latin1')


def _admitted() -> Mapping[tuple[str, str], _Frozen]:
    names: dict[tuple[str, str], Callable] = {
        ('_codecs', 'encode'): _encode, ('collections', 'OrderedDict'): OrderedDict,
        ('numpy', 'ndarray'): _Array, ('numpy', 'dtype'): _Dtype}
    for core in ('numpy.core', 'numpy._core'):
        names |= {(f'{core}.multiarray', '_reconstruct'): _Array, (f'{core}.numeric', '_frombuffer'): _array,
                  (f'{core}.multiarray', 'scalar'): lambda dtype, raw: _array(raw, dtype, (), 'C')}
    for builtins in ('builtins', '__builtin__'):
        names |= {(builtins, kind.__name__): kind for kind in (dict, list, tuple, set, frozenset)}
        names[builtins, 'bytes'] = lambda: b''
    return {name: _Frozen(call) for name, call in names.items()}


class PaddleUnpickler(pickle.Unpickler):
    """Knows numpy arrays of numbers and plain containers; for any other name, ``load`` raises RefusedGlobal."""
    _names = _admitted()

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._names:
            raise RefusedGlobal(f'{module}.{name}')
        return self._names[module, name]


def plain(value: Any) -> Any:
    """What :class:`PaddleUnpickler` read, with numpy arrays for the values of a dict; newer Paddle's are (name, array).

    What lies deeper is left alone: a few bytes of pickle can nest more than a lifetime could visit.
    """
    if isinstance(value, dict):
        return {key: plain(item) if isinstance(item, _Array | tuple) else item for key, item in value.items()}
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], _Array | np.ndarray):
        value = value[1]
    return value.value if isinstance(value, _Array) else value
