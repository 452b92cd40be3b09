"""One piece of an inference's time, as every way of tracing it tells."""
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from lcvision.latency.profiler.onednn_log import Primitive


@dataclass(frozen=True)
class Kernel:
    """A kernel that ran.

    Attributes:
        source: 'onednn', 'torch' (its own or those of the library of matrix products that it is built with) or
            'inductor' (generated).
        operation: 'convolution', 'reorder', 'hardswish' and so on.
        name: Of the implementation.
        layer: Name of the module in the model, where it is known.
        shape: Of the problem, for a reader.
        us: Microseconds.
        macs: Multiply-adds; None for what is not a sum of products.
        isa: Instruction set, where the kernel tells.
        is_reference: Whether it is plain C++, not optimised.
    """

    source: str
    operation: str
    name: str
    layer: str | None
    shape: str
    us: float
    macs: int | None = None
    isa: str | None = None
    is_reference: bool = False

    @classmethod
    def of(cls, primitive: Primitive, layer: str | None) -> 'Kernel':
        """Kernels that oneDNN reported."""
        return cls('onednn', primitive.operation, primitive.kernel, layer, describe(primitive), primitive.us,
                   primitive.macs, primitive.isa, primitive.is_reference)

    @property
    def is_reorder(self) -> bool:
        """Whether oneDNN copied a tensor into another memory layout."""
        return self.source == 'onednn' and self.operation == 'reorder'

    @property
    def identity(self) -> tuple:
        """All that one inference has in common with the next."""
        return self.source, self.operation, self.name, self.layer, self.shape


def describe(primitive: Primitive) -> str:
    """The problem of a primitive, in a few characters."""
    if primitive.operation == 'inner_product':
        size = primitive.sizes
        return describe_product(size['oc'], size['ic'] * size['ih'] * size['iw'], size['mb'])
    if primitive.operation != 'convolution':
        return primitive.problem
    size = primitive.sizes
    return describe_convolution((size['oc'], size['ic'] // size['g'], size['kh'], size['kw']), size['g'],
                                (size['sh'], size['sw']), (size['oh'], size['ow']))


def describe_convolution(weight: Sequence[int], groups: int, stride: Sequence[int], output: Sequence[int]) -> str:
    """A convolution in a few characters: '3x3/2 3>16 112x112', and 'dw 5x5 256 7x7' for a depthwise one.

    Args:
        weight: Output channels, input channels of a group, then the kernel's size.
        groups: Groups of channels.
        stride: Along each axis, or one for all.
        output: Size of the output.
    """
    kernel = _times(weight[2:]) + (f'/{max(stride)}' if max(stride) > 1 else '')
    inputs = weight[1] * groups
    if groups == inputs == weight[0] > 1:
        return f'dw {kernel} {inputs} {_times(output)}'
    grouped = f' g{groups}' if groups > 1 else ''
    return f'{kernel} {inputs}>{weight[0]}{grouped} {_times(output)}'


def describe_product(outputs: int, inputs: int, rows: int) -> str:
    """A matrix product in a few characters: '1280>1000', with the rows where there are several."""
    return f'{inputs}>{outputs}' + (f' x{rows}' if rows > 1 else '')


def median_kernels(traces: Sequence[Sequence[Kernel]]) -> list[Kernel]:
    """One trace for several of the same inference, each kernel with its median time.

    Args:
        traces: At least one. Those that do not run what most run are left out.
    """
    identities = [tuple(kernel.identity for kernel in trace) for trace in traces]
    usual = max(identities, key=identities.count)
    same = [trace for trace, identity in zip(traces, identities, strict=True) if identity == usual]
    return [replace(kernels[0], us=median(kernel.us for kernel in kernels)) for kernels in zip(*same, strict=True)]


def _times(sizes: Sequence[int]) -> str:
    return 'x'.join(map(str, sizes))
