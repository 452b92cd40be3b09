"""oneDNN's verbose log, read line by line."""
import math
import re
from dataclasses import dataclass

_MARK = 'onednn_verbose'
_FIELDS = ('engine', 'operation', 'implementation', 'propagation', 'memory', 'attributes', 'algorithm', 'problem')
_ISA = re.compile(r':((?:avx|sse|amx|sve|asimd|isa_|neon)\w*)$')
# What two layers of a model have to share to be taken for the same computation.
Key = tuple


class LogError(ValueError):
    """A line of oneDNN's log has a form that is not known."""


@dataclass(frozen=True)
class Primitive:
    """One computation that oneDNN did.

    Attributes:
        operation: 'convolution', 'matmul', 'inner_product', 'reorder', 'eltwise' and so on.
        implementation: Kernel as oneDNN names it, such as 'brgconv_1x1:avx512_core'.
        problem: Sizes as oneDNN writes them.
        us: Microseconds.
    """

    operation: str
    implementation: str
    problem: str
    us: float

    @property
    def kernel(self) -> str:
        """The implementation without the instruction set."""
        return _ISA.sub('', self.implementation)

    @property
    def isa(self) -> str | None:
        """The instruction set, where the kernel is made for one."""
        found = _ISA.search(self.implementation)
        return found[1] if found else None

    @property
    def is_reference(self) -> bool:
        """Whether it is plain C++, not optimised for this CPU."""
        return 'ref' in re.split(r'[:_]', self.implementation)

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes of a convolution by oneDNN's letters, such as ic, oh and kw; what it leaves out is 1."""
        found = {name: int(value) for name, value in re.findall(r'([a-z]+)(\d+)', self.problem)}
        return dict.fromkeys(('g', 'mb', 'id', 'ih', 'iw', 'od', 'oh', 'ow', 'kd', 'kh', 'kw', 'sh', 'sw'), 1) | found

    @property
    def macs(self) -> int | None:
        """Multiply-adds; None for what is not a sum of products."""
        if self.operation == 'matmul':
            a, b = self._factors()
            return math.prod(a) * b[-1]
        if self.operation not in ('convolution', 'deconvolution', 'inner_product'):
            return None
        size = self.sizes
        area = size['id'] * size['ih'] * size['iw']
        if self.operation == 'inner_product':
            return size['mb'] * size['ic'] * size['oc'] * area
        if self.operation == 'convolution':
            area = size['od'] * size['oh'] * size['ow']
        return size['mb'] * size['oc'] * size['ic'] // size['g'] * area * size['kd'] * size['kh'] * size['kw']

    @property
    def key(self) -> Key | None:
        """What the layer of a model that it computes has in common with it, see :func:`convolution_key`."""
        if self.operation == 'matmul':
            a, b = self._factors()
            return pointwise_key(b[-1], a[-1], math.prod(a[:-1]))
        size = self.sizes
        if self.operation == 'inner_product':
            return pointwise_key(size['oc'], size['ic'] * size['ih'] * size['iw'], size['mb'])
        if self.operation != 'convolution':
            return None
        return convolution_key((size['oc'], size['ic'] // size['g'], size['kh'], size['kw']), size['ic'],
                               (size['ih'], size['iw']))

    def _factors(self) -> tuple[list[int], list[int]]:
        a, b = ([int(n) for n in part.split('x')] for part in self.problem.split(':')[:2])
        return a, b


def convolution_key(weight: tuple[int, ...], channels: int, size: tuple[int, ...]) -> Key:
    """Identifies a convolution of one image by its sizes.

    Args:
        weight: Output channels, input channels of a group, kernel height and width.
        channels: Input channels.
        size: Height and width of the input.
    """
    if weight[1:] == (channels, 1, 1):
        return pointwise_key(weight[0], channels, math.prod(size))
    return ('convolution', *weight, channels, *size)


def pointwise_key(outputs: int, inputs: int, rows: int) -> Key:
    """Identifies a matrix product, which a 1 x 1 convolution is as well."""
    return 'pointwise', outputs, inputs, rows


def parse_log(text: str) -> list[Primitive]:
    """Reads what was executed, in order.

    Args:
        text: Of the log; headers, creations and lines that are not oneDNN's are passed over.

    Raises:
        LogError: A line of oneDNN has a form that is not known.
    """
    return [primitive for line in text.splitlines() if (primitive := parse_line(line)) is not None]


def parse_line(line: str) -> Primitive | None:
    """Reads one line; None for one that tells of no execution.

    Raises:
        LogError: It is a line of oneDNN in a form that is not known.
    """
    parts = line.strip().split(',')
    # Before the word stand a version of the form, a time stamp where that is asked for, and a component.
    if parts[0] != _MARK or 'exec' not in parts[1:5] or 'graph' in parts[1:4]:
        return None
    values = parts[parts.index('exec') + 1:]
    try:
        if len(values) != len(_FIELDS) + 1:
            raise ValueError(f'{len(values)} fields')
        fields = dict(zip(_FIELDS, values, strict=False))
        primitive = Primitive(fields['operation'], fields['implementation'], fields['problem'],
                              float(values[-1]) * 1e3)
        _ = primitive.macs, primitive.key
    except (ValueError, KeyError, IndexError) as error:
        raise LogError(f"a line of oneDNN's log has an unknown form ({error}): {line.strip()}") from error
    return primitive
