"""What the measuring core asks of a way to run a network."""
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.load import Load
from lcvision.frameworks import absent_packages

Outputs = tuple[torch.Tensor, ...]
Run = Callable[[torch.Tensor], Outputs]


class EngineError(RuntimeError):
    """An engine that is installed could not prepare or run this network, or runs it wrongly."""


@dataclass
class Prepared:
    """A network ready to run; calling it, in inference mode, runs it.

    Attributes:
        run: (1, 3, H, W) float32 -> flat tuple of float32 tensors, which the next call may overwrite.
        example: The input in the memory layout that ``run`` prefers, allocated once.
        first_ms: Milliseconds of the first inference, after any compilation.
        compile_s: Seconds of compilation; None where nothing is compiled.
        layout: Memory layout of the activations, where the engine has a choice.
        engine: Name of the engine that runs it, where the one asked for chose among others.
        properties: What the runtime made of its settings, where it says.
        load: Keeps all threads busy with several images at a time; None where it was prepared for one at a time.
    """

    run: Run
    example: torch.Tensor
    first_ms: float
    compile_s: float | None = None
    layout: str | None = None
    engine: str | None = None
    properties: dict[str, str] | None = None
    load: Load | None = None

    def __call__(self, x: torch.Tensor) -> Outputs:
        """Runs one inference."""
        return self.run(x)


class Engine(ABC):
    """One way to run a network on a CPU; its class holds everything that is known about it.

    Attributes:
        name: As it is asked for and recorded.
        title: Name for people, in tables and pictures; empty for ``name``.
        packages: What it imports; the version of the first, its runtime, is recorded.
        extra: The extra of this package that installs them.
        precisions: Those that it computes in.
        hints: 'throughput' among them where it has :meth:`prepare_load`.
        compiles: Place among those that generate code, which are prepared last where time may run out; 0 for others.
        traced: How an inference is profiled: 'operators' one by one from Python, 'kernels' in the log of torch's
            oneDNN and torch's profiler; None where neither sees them.
        marker: matplotlib's, in pictures.
        chooses: Whether it measures others and takes the quickest.
        progress: Called with what is going on where that takes long; None for nobody.
    """

    name: str
    title: str = ''
    packages: tuple[str, ...] = ()
    extra: str = ''
    precisions: tuple[str, ...] = ('fp32',)
    hints: tuple[str, ...] = ('latency',)
    compiles: int = 0
    traced: Literal['operators', 'kernels'] | None = None
    marker: str = 'P'
    chooses: bool = False
    progress: Callable[[str], None] | None = None

    def missing(self) -> str | None:
        """Why it cannot be used here and what to do about it; None when it can. Nothing is imported."""
        return absent_packages(self.packages, self.extra)

    @abstractmethod
    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Makes a network ready, or raises an :class:`EngineError`; called in inference mode with the threads set.

        Args:
            network: In eval mode, float32, not fused; it must stay as it is.
            example: (1, 3, H, W) input of the size that will be measured.
            precision: One of ``precisions``.
            threads: Threads it will run with.
        """

    def prepare_load(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """As :meth:`prepare`, with a ``load`` of so many threads in all."""
        raise EngineError('it has no throughput mode')


_Kind = TypeVar('_Kind', bound=Engine)
ENGINES: dict[str, Engine] = {}
"""All that are registered, by name, in the order of lists and tables."""


def register_engine(kind: type[_Kind]) -> type[_Kind]:
    """Decorates the class of an engine, which all lists, tools and pictures then know; a ValueError for a bad name."""
    name = getattr(kind, 'name', '')
    if not re.fullmatch(r'[\w.-]+', name) or name in ('all', 'best'):
        raise ValueError(f"an engine's name is made of letters, digits, '-', '_' and '.', and is neither 'all' nor "
                         f"'best', got {name!r}")
    known = ENGINES.get(name)
    # The same class defined anew, as in a notebook's cell, takes its own place.
    if known and (type(known).__module__, type(known).__qualname__) != (kind.__module__, kind.__qualname__):
        raise ValueError(f'there is an engine {name!r} already, {type(known).__qualname__}: give yours another name')
    ENGINES[name] = kind()
    environment.PACKAGES.extend({*kind.packages[:1]}.difference(environment.PACKAGES))
    return kind


def build_prepared(build: Callable[[], tuple[Run, torch.Tensor]], refusal: str, layout: str | None = None) -> Prepared:
    """Builds a network and its example, which takes time, and runs it once.

    Where that fails, an :class:`EngineError` says ``refusal``, such as 'OpenVINO cannot run', and why.
    """
    start = time.perf_counter()
    try:
        run, x = build()
        seconds = time.perf_counter() - start
        return Prepared(run, x, first_ms(run, x), compile_s=seconds, layout=layout)
    except Exception as error:
        raise EngineError(f'{refusal} this network: {first_line(error)}') from error


def first_line(error: BaseException) -> str:
    """An exception in one line, for the reason of an :class:`EngineError`."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def first_ms(run: Run, example: torch.Tensor) -> float:
    """Runs once and returns the milliseconds that it took."""
    start = time.perf_counter()
    run(example)
    return (time.perf_counter() - start) * 1e3
