"""oneDNN's verbose log: captured while something runs, and read line by line."""
import ctypes
import math
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO

import torch

_MARK = 'onednn_verbose'
_FIELDS = ('engine', 'operation', 'implementation', 'propagation', 'memory', 'attributes', 'algorithm', 'problem')
_ISA = re.compile(r':((?:avx|sse|amx|sve|asimd|isa_|neon)\w*)$')
_STDOUT, _STDERR = 1, 2
# What two layers of a model must share to count as the same computation.
Key = tuple


class LogError(ValueError):
    """A line of oneDNN's log has an unknown form."""


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
    def weight(self) -> tuple[int, int, int, int]:
        """Of a convolution: output channels, input channels of a group, kernel height and width."""
        size = self.sizes
        return size['oc'], size['ic'] // size['g'], size['kh'], size['kw']

    @property
    def product(self) -> tuple[int, int, int]:
        """Of a matrix product: outputs, inputs and rows."""
        if self.operation == 'matmul':
            a, b = ([int(n) for n in part.split('x')] for part in self.problem.split(':')[:2])
            return b[-1], a[-1], math.prod(a[:-1])
        size = self.sizes
        return size['oc'], size['ic'] * size['id'] * size['ih'] * size['iw'], size['mb']

    @property
    def macs(self) -> int | None:
        """Multiply-adds; None for what is not a sum of products."""
        if self.operation in ('matmul', 'inner_product'):
            return math.prod(self.product)
        if self.operation not in ('convolution', 'deconvolution'):
            return None
        size, side = self.sizes, 'o' if self.operation == 'convolution' else 'i'
        area = math.prod(size[side + axis] for axis in 'dhw')
        return size['mb'] * area * math.prod(self.weight) * size['kd']

    @property
    def key(self) -> Key | None:
        """What it has in common with the layer of a model that it computes, see :func:`convolution_key`."""
        if self.operation in ('matmul', 'inner_product'):
            return pointwise_key(*self.product)
        if self.operation != 'convolution':
            return None
        return convolution_key(self.weight, self.sizes['ic'], (self.sizes['ih'], self.sizes['iw']))


def convolution_key(weight: tuple[int, ...], channels: int, size: tuple[int, ...]) -> Key:
    """Identifies a convolution of one image by the shape of its weight, and channels and ``size`` of its input."""
    if weight[1:] == (channels, 1, 1):
        return pointwise_key(weight[0], channels, math.prod(size))
    return ('convolution', *weight, channels, *size)


def pointwise_key(outputs: int, inputs: int, rows: int) -> Key:
    """Identifies a matrix product, which a 1 x 1 convolution is as well."""
    return 'pointwise', outputs, inputs, rows


def parse_log(text: str) -> list[Primitive]:
    """Reads what was executed, in order; headers, creations and lines that are not oneDNN's are skipped."""
    return [primitive for line in text.splitlines() if (primitive := parse_line(line)) is not None]


def parse_line(line: str) -> Primitive | None:
    """Reads one line; None where it reports no execution, a :class:`LogError` where its form is unknown."""
    parts = line.strip().split(',')
    # Before the word come a version of the form, a time stamp where one is asked for, and a component.
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


class Log:
    """A log that is being written to ``file``."""

    def __init__(self, file: IO[bytes]):
        self._file = file

    def position(self) -> int:
        """Bytes written so far; oneDNN flushes every line."""
        return os.fstat(self._file.fileno()).st_size

    def text(self) -> str:
        """All that was written, a character for a byte."""
        return os.pread(self._file.fileno(), self.position(), 0).decode('latin-1')


@contextmanager
def capture_log() -> Iterator[Log]:
    """Has oneDNN report every execution, into a file that takes the place of standard output meanwhile.

    oneDNN prints from C, so the descriptor itself is redirected: whatever else prints ends up there too.
    """
    with _captured(_STDOUT) as log, torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
        yield log


@contextmanager
def _captured(descriptor: int) -> Iterator[Log]:
    libc = ctypes.CDLL(None)
    stream = sys.stdout if descriptor == _STDOUT else sys.stderr
    with tempfile.TemporaryFile() as file:
        stream.flush()
        libc.fflush(None)
        terminal = os.dup(descriptor)
        os.dup2(file.fileno(), descriptor)
        try:
            yield Log(file)
        finally:
            stream.flush()
            libc.fflush(None)
            os.dup2(terminal, descriptor)
            os.close(terminal)


silence = partial(_captured, _STDERR)
"""Keeps what is printed on standard error off the terminal."""
