"""A GPU that is not there: its tensors are computed on the CPU, and mixing them with others is refused as by CUDA."""
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

_GPU, _CPU = torch.device('cuda', 0), torch.device('cpu')
_Tensor: Any = torch.Tensor
_READS_MEMORY = {_Tensor.numpy, _Tensor.__array__, _Tensor.data_ptr}
_TRANSFERS = {_Tensor.copy_, _Tensor.type_as, _Tensor.data.__set__, _Tensor.grad.__set__,
              torch._has_compatible_shallow_copy_type}
_INDEXES = {_Tensor.__getitem__, _Tensor.__setitem__}


class PretendedGPU(TorchFunctionMode):
    """Within it ``.to('cuda')`` marks a tensor's memory, and what is computed of marked tensors is marked.

    A marked tensor's ``device`` is cuda:0. An operator that gets marked and other tensors raises, unless the others
    are numbers (no axes) or indices; so do ``numpy()`` of a marked tensor, and an index on the GPU into the CPU.
    Control flow may depend on values: they are real. What happens inside torch's own functions is taken on trust.
    """

    def __init__(self) -> None:
        super().__init__()
        # A weak reference keeps the address of a freed storage from being given to another.
        self._storages: dict[int, StorageWeakRef] = {}

    def holds(self, tensor: torch.Tensor) -> bool:
        """Whether the tensor's memory is on the GPU."""
        return tensor.untyped_storage()._cdata in self._storages

    def place(self, value: Any) -> Any:
        """Marks the memory of all tensors in nested lists and dicts."""
        for tensor in _tensors(value):
            storage = tensor.untyped_storage()
            self._storages[storage._cdata] = StorageWeakRef(storage)
        return value

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        # The memo of a deep copy holds all that was copied before.
        inputs = [args[0]] if func == _Tensor.__deepcopy__ else _tensors((args, kwargs))
        marked = [self.holds(tensor) for tensor in inputs]
        if func == _Tensor.device.__get__:
            return _GPU if marked[0] else _CPU
        if func == _Tensor.is_cuda.__get__:
            return marked[0]
        if func in _READS_MEMORY and marked[0]:
            raise TypeError(f"can't convert cuda:0 device type tensor: {_name(func)}")
        if func in (_Tensor.to, _Tensor.cpu, _Tensor.cuda):
            return self._move(func, args, kwargs)
        wanted = kwargs.get('device')
        if wanted is not None:
            kwargs = {**kwargs, 'device': _CPU}
        if func not in _TRANSFERS:
            _refuse_mixing(func, inputs, marked)
        outputs = func(*args, **kwargs)
        if func == _Tensor.data.__set__:
            return self.place(args[0]) if self.holds(args[1]) else outputs
        if func == _Tensor.type_as:
            return self._onto(outputs, args[0], self.holds(args[1]))
        if torch.device(wanted).type == 'cuda' if wanted is not None else any(marked):
            known = {tensor.untyped_storage()._cdata for tensor in inputs} if wanted is None else set()
            self.place([tensor for tensor in _tensors(outputs) if tensor.untyped_storage()._cdata not in known])
        return outputs

    def _move(self, func: Any, args: tuple, kwargs: dict) -> torch.Tensor:
        source, wanted = args[0], self.holds(args[0])
        if func != _Tensor.to:
            func, args, kwargs = _Tensor.to, (source, _GPU if func == _Tensor.cuda else _CPU), {}
        for value in (*args[1:], *kwargs.values()):
            if isinstance(value, torch.Tensor):
                wanted = self.holds(value)
            elif isinstance(value, str | torch.device):
                wanted = torch.device(value).type == 'cuda'

        def here(value: Any) -> Any:
            return _CPU if isinstance(value, str | torch.device) else value
        return self._onto(func(*tree_map(here, args), **tree_map(here, kwargs)), source, wanted)

    def _onto(self, moved: torch.Tensor, source: torch.Tensor, wanted: bool) -> torch.Tensor:
        if moved.untyped_storage()._cdata == source.untyped_storage()._cdata and wanted != self.holds(source):
            moved = moved.clone()
        return self.place(moved) if wanted else moved


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return []
    return [tensor for item in value for tensor in _tensors(item)]


def _refuse_mixing(func: Any, inputs: list[torch.Tensor], marked: list[bool]) -> None:
    if not any(marked):
        return
    if func in _INDEXES and marked[0]:
        inputs, marked = inputs[:1], marked[:1]
    if not all(mark or not tensor.ndim for tensor, mark in zip(inputs, marked)):
        raise RuntimeError('Expected all tensors to be on the same device, but found at least two devices, cuda:0 and '
                           f'cpu: {_name(func)}')


def _name(func: Any) -> str:
    return getattr(func, '__qualname__', None) or str(func)
