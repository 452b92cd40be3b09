"""Allow-list with which torch's safe reader can read mmengine's training checkpoints.

Serves mmengine 0.10.7 (tried with torch 2.13.0), which saves its log history as objects and numpy arrays and leaves
`weights_only` to torch, which refuses them: training could not be resumed.
Delete it when mmengine saves plain values or registers its own classes.

`weights_only` stays on. Where a checkpoint names something that could do more than hold numbers (`getattr`,
`numpy.dtype`), a narrow function of this file answers in its place.
"""
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

# What pickle writes as getattr(class, name): functions that live in a class.
_METHODS = {'HistoryBuffer': ('min', 'max', 'current', 'mean'),
            'OneCycleParamScheduler': ('_annealing_cos', '_annealing_linear')}


def allow() -> list[str]:
    """Adds to torch's allow-list what mmengine's checkpoints hold, for reading without a runner; returns the new."""
    import torch
    present = {_name(entry) for entry in torch.serialization.get_safe_globals()}
    added = {name: value for name, value in _allowed().items() if name not in present}
    torch.serialization.add_safe_globals([(value, name) for name, value in added.items()])
    return list(added)


def _name(entry: Any) -> str:
    return entry[1] if isinstance(entry, tuple) else f'{entry.__module__}.{entry.__qualname__}'


def _allowed() -> dict[str, Callable]:
    """Every name that a checkpoint may use, with what answers to it."""
    import numpy as np
    from mmengine.logging.history_buffer import HistoryBuffer
    from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
    rebuild, scalar = np.zeros(1).__reduce__()[0], np.float64(0).__reduce__()[0]
    allowed = {f'{cls.__module__}.{cls.__qualname__}': cls for cls in (HistoryBuffer, OneCycleParamScheduler)}
    allowed |= {'builtins.getattr': _method, 'numpy.dtype': _numeric_dtype, 'numpy.ndarray': np.ndarray}
    # numpy moved its core in 2.0; checkpoints of either side are read on both.
    for core in ('numpy.core', 'numpy._core'):
        allowed |= {f'{core}.multiarray._reconstruct': rebuild, f'{core}.multiarray.scalar': scalar}
    # A dtype is restored by setting the state of an instance, which torch permits by its class.
    types = {type(np.dtype(code)) for code in np.typecodes['AllInteger'] + np.typecodes['Float'] + '?'}
    return allowed | {f'{cls.__module__}.{cls.__qualname__}': cls for cls in types}


def _method(owner: Any, name: str) -> Callable:
    """Stands for getattr: gives the few functions that mmengine's own objects refer to."""
    known = _METHODS.get(getattr(owner, '__name__', ''), ()) if isinstance(owner, type) else ()
    if name not in known:
        raise UnpicklingError(f'getattr of {name!r} from {owner!r} is not allowed in a checkpoint')
    return getattr(owner, name)


def _numeric_dtype(code: str, *flags: bool) -> Any:
    """Stands for numpy.dtype: gives plain numbers only, no objects and no records."""
    import numpy as np
    dtype = np.dtype(code)
    if dtype.kind not in 'biuf':
        raise UnpicklingError(f'numpy dtype {code!r} is not allowed in a checkpoint: only numbers are')
    return dtype
