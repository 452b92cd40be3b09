"""Which kernels a compiled network ran, and for how long."""
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from lcvision.latency.profiler.kernel import Kernel, Key, Layer, LayerNames, describe_product
from lcvision.latency.profiler.onednn_log import STDERR, capture, capture_log, convolution_key, parse_log, pointwise_key

# Makes inductor's kernels appear in torch's profiler; it has to be set while a network is compiled.
NAMED_KERNELS = {'cpp.enable_kernel_profile': True}

_INFERENCE = 'lcvision::inference'
_GENERATED = re.compile(r'^(?:graph_\d+_)?((?:cpp_|gemm_).*)$')
_GEMM = re.compile(r'gemm_m(\d+)n(\d+)k(\d+)')
_OPERATOR = re.compile(r'^(?:aten::|aoti_torch_(?:cpu_)?)(.*)$')
_NOTHING = re.compile(r'^(empty.*|as_strided|_?reshape.*|view.*|detach|alias|resize_|set_|permute|transpose|t|expand|'
                      r'slice|select|(un)?squeeze|resolve_.*)$')
_FACTORS = {'linear': (0, 1), 'addmm': (1, 2), 'mm': (0, 1), 'bmm': (0, 1), 'baddbmm': (1, 2)}


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
    with capture(STDERR), profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
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
            yield Kernel('torch', operation, 'outside oneDNN', None, 'x'.join(map(str, key[1:])), us)
        else:
            yield Kernel('torch', operation, 'outside oneDNN', layer.name, layer.shape, us, layer.macs)


def _key(operation: str, shapes: list[list[int]]) -> Key | None:
    if operation == 'convolution' and len(shapes) > 1 and len(shapes[1]) == 4:
        return convolution_key(tuple(shapes[1]), shapes[0][1], tuple(shapes[0][2:]))
    if operation in _FACTORS and len(shapes) > _FACTORS[operation][1]:
        a, b = (shapes[place] for place in _FACTORS[operation])
        return pointwise_key(b[0] if operation == 'linear' else b[-1], a[-1], math.prod(a[:-1]))
    return None


def _uses_onednn(event: Any) -> bool:
    return 'mkldnn' in event.name or any(_uses_onednn(child) for child in event.cpu_children)
