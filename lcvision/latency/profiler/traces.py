"""Which kernels a network ran, eager or compiled, and for how long."""
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils._python_dispatch import TorchDispatchMode

from lcvision.latency.profiler.kernel import Kernel, Key, Layer, LayerNames, describe_convolution, describe_product
from lcvision.latency.profiler.onednn_log import Log, capture_log, convolution_key, parse_log, pointwise_key, silence

OUTSIDE = 'outside oneDNN'
# Makes inductor's kernels appear in torch's profiler; it has to be set while a network is compiled.
NAMED_KERNELS = {'cpp.enable_kernel_profile': True}
_INFERENCE = 'lcvision::inference'
_GENERATED = re.compile(r'^(?:graph_\d+_)?((?:cpp_|gemm_).*)$')
_GEMM = re.compile(r'gemm_m(\d+)n(\d+)k(\d+)')
_OPERATOR = re.compile(r'^(?:aten::|aoti_torch_(?:cpu_)?)(.*)$')
_NOTHING = re.compile(r'^(empty.*|as_strided|_?reshape.*|view.*|detach|alias|resize_|set_|permute|transpose|t|expand|'
                      r'slice|select|(un)?squeeze|resolve_.*)$')
_FACTORS = {'linear': (0, 1), 'addmm': (1, 2), 'mm': (0, 1), 'bmm': (0, 1), 'baddbmm': (1, 2)}
_CONVOLUTIONS = ('conv1d', 'conv2d', 'conv3d', 'convolution')
_TRANSPOSED = ('conv_transpose1d', 'conv_transpose2d', 'conv_transpose3d')
# Where the two factors stand among the arguments.
_PRODUCTS = {'linear': 0, 'addmm': 1, 'mm': 0, 'bmm': 0, 'baddbmm': 1, 'matmul': 0}
_NUMBER, _CALLS = torch.ones(1), 11


@dataclass
class _Call:
    operation: str
    layer: str | None
    us: float
    shape: str
    macs: int | None
    start: int
    end: int


def trace_eager(network: nn.Module, x: torch.Tensor, named: nn.Module | None = None) -> list[Kernel]:
    """The kernels of one inference of an eager network, in order; modules of ``named``, a part of it, name the layers.

    oneDNN's are taken from its log. An operator that does not use oneDNN is timed from outside, less the time that an
    operator takes for a single number. Operators that compute nothing, such as a change of shape, are left out.
    """
    with capture_log() as log, _running(named or network) as layers, _Operators(log, layers) as operators:
        network(x)
        text = log.text()
        first = len(operators.calls)
        for _ in range(_CALLS):
            torch.relu(_NUMBER)
    calls, spare = operators.calls[:first], operators.calls[first:]
    cost = median(call.us for call in spare)
    return [kernel for call in calls for kernel in _kernels(call, text, cost)]


def _kernels(call: _Call, text: str, cost: float) -> Iterator[Kernel]:
    primitives = parse_log(text[call.start:call.end])
    yield from (Kernel.of(primitive, call.layer) for primitive in primitives)
    if all(primitive.operation == 'reorder' for primitive in primitives):
        us = max(call.us - cost - sum(primitive.us for primitive in primitives), 0.)
        yield Kernel('torch', call.operation, call.operation if call.macs is None else OUTSIDE, call.layer,
                     call.shape, us, call.macs)


@contextmanager
def _running(network: nn.Module) -> Iterator[list[str]]:
    """The names of the modules that are running, the innermost last."""
    names: list[str] = []
    with ExitStack() as hooks:
        for name, module in network.named_modules():
            def enter(*_: object, name: str = name) -> None:
                names.append(name)

            def leave(*_: object) -> None:
                names.pop()

            hooks.enter_context(module.register_forward_pre_hook(enter))
            hooks.enter_context(module.register_forward_hook(leave))
        yield names


class _Operators(TorchDispatchMode):
    """Times every operator and notes which part of the log it wrote."""

    def __init__(self, log: Log, layers: list[str]):
        super().__init__()
        self.calls: list[_Call] = []
        self._log, self._layers = log, layers

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        start = self._log.position()
        before = time.perf_counter_ns()
        output = func(*args, **(kwargs or {}))
        us = (time.perf_counter_ns() - before) / 1e3
        operation = func._schema.name.split('::')[-1].rstrip('_')
        if _computes(func, operation, args, output):
            shape, macs = describe_call(operation, args, output)
            self.calls.append(_Call(operation, (self._layers or [''])[-1] or None, us, shape, macs, start,
                                    self._log.position()))
        return output


def _computes(func: Any, operation: str, args: Sequence[Any], output: Any) -> bool:
    if func.is_view or operation.startswith('empty'):
        return False
    if func._schema.is_mutable or not isinstance(output, torch.Tensor):
        return isinstance(output, (torch.Tensor, tuple, list))
    memory = output.untyped_storage().data_ptr()
    return not any(isinstance(a, torch.Tensor) and a.untyped_storage().data_ptr() == memory for a in args)


def describe_call(operation: str, args: Sequence[Any], output: Any) -> tuple[str, int | None]:
    """Shape and multiply-adds of an operator's call; '' and None for one that is not a sum of products."""
    if operation in _PRODUCTS and isinstance(output, torch.Tensor) and output.ndim:
        inputs, outputs = args[_PRODUCTS[operation]].shape[-1], output.shape[-1]
        return describe_product(outputs, inputs, output.numel() // max(outputs, 1)), output.numel() * inputs
    if operation not in _CONVOLUTIONS + _TRANSPOSED:
        return '', None
    x, weight = args[:2]
    size = tuple(weight.shape)
    if operation in _TRANSPOSED or (operation == 'convolution' and args[6]):
        # Its weight has the input's channels first.
        return f'transposed {size[0]}>{output.shape[1]}', x.numel() * weight[0].numel()
    stride = args[3] if len(args) > 3 else 1
    return (describe_convolution(size, x.shape[1] // size[1], [stride] if isinstance(stride, int) else stride,
                                 output.shape[2:]), output.numel() * weight[0].numel())


def trace_onednn(run: Callable, x: torch.Tensor, layers: list[Layer]) -> tuple[list[Kernel], set[Key]]:
    """oneDNN's kernels in one inference of a compiled network, in order, and the sizes of the layers they computed."""
    with capture_log() as log:
        run(x)
        primitives = parse_log(log.text())
    names, kernels = LayerNames(layers), []
    for primitive in primitives:
        layer = names.take(primitive.key)
        kernels.append(Kernel.of(primitive, layer.name if layer else None))
    return kernels, {primitive.key for primitive in primitives if primitive.key}


def trace_others(run: Callable, x: torch.Tensor, layers: list[Layer], known: set[Key]) -> list[Kernel]:
    """Generated kernels and called operators in one inference of a network compiled with :data:`NAMED_KERNELS`.

    They come in order, without oneDNN's and without layers of the ``known`` sizes.
    """
    # The profiler announces itself on standard error.
    with silence(), profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        # The profiler is slow with the first events of its life.
        run(x)
        with record_function(_INFERENCE):
            run(x)
    inference = next(event for event in profiler.events() if event.name == _INFERENCE)
    return list(_children(inference, LayerNames(layers), known))


def _children(event: Any, names: LayerNames, known: set[Key]) -> Iterator[Kernel]:
    for child in sorted(event.cpu_children, key=lambda e: e.time_range.start):
        us = child.time_range.elapsed_us()
        generated, operator = _GENERATED.match(child.name), _OPERATOR.match(child.name)
        if generated:
            yield _generated(generated[1], us, names)
        elif operator is None:
            yield from _children(child, names, known)
        elif not _NOTHING.match(operator[1]) and not _uses_onednn(child):
            yield from _operator(operator[1].rstrip('_'), child.input_shapes, us, names, known)


def _generated(name: str, us: float, names: LayerNames) -> Kernel:
    product = _GEMM.search(name)
    if product is None:
        return Kernel('inductor', 'generated', 'generated', None, name, us)
    rows, outputs, inputs = map(int, product.groups())
    layer = names.take(pointwise_key(outputs, inputs, rows))
    return Kernel('inductor', 'matmul', 'generated gemm', layer.name if layer else None,
                  layer.shape if layer else describe_product(outputs, inputs, rows), us, rows * outputs * inputs)


def _operator(operation: str, shapes: list[list[int]], us: float, names: LayerNames,
              known: set[Key]) -> Iterator[Kernel]:
    key = _key(operation, shapes)
    if key is None:
        yield Kernel('torch', operation, operation, None, '', us)
    elif key not in known:
        layer = names.take(key)
        if layer is None:
            yield Kernel('torch', operation, OUTSIDE, None, 'x'.join(map(str, key[1:])), us)
        else:
            yield Kernel('torch', operation, OUTSIDE, layer.name, layer.shape, us, layer.macs)


def _key(operation: str, shapes: list[list[int]]) -> Key | None:
    if operation == 'convolution' and len(shapes) > 1 and len(shapes[1]) == 4:
        return convolution_key(tuple(shapes[1]), shapes[0][1], tuple(shapes[0][2:]))
    if operation in _FACTORS and len(shapes) > _FACTORS[operation][1]:
        a, b = (shapes[place] for place in _FACTORS[operation])
        return pointwise_key(b[0] if operation == 'linear' else b[-1], a[-1], math.prod(a[:-1]))
    return None


def _uses_onednn(event: Any) -> bool:
    return 'mkldnn' in event.name or any(_uses_onednn(child) for child in event.cpu_children)
