"""What goes into a benchmark: networks, and the time there is for them."""
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from torch import nn

from lcvision import environment
from lcvision.complexity import Complexity, count_complexity
from lcvision.deploy.engines.engine import Engine, Prepared
from lcvision.deploy.network import example_input
from lcvision.timing.rounds import Budget

if TYPE_CHECKING:
    from lcvision.latency.end_to_end import JpegToResult

# Preparing may take this share of the time, sampling that of what is left; the rest is for warming up.
_PREPARE = 0.55
_SAMPLE = 0.7
_WARM_UP_RUNS = 20


@dataclass
class Subject:
    """A network to measure.

    Attributes:
        config: The config it comes from, as the user named it.
        task: 'detection', 'segmentation' or 'classification'.
        network: (1, 3, H, W) -> flat tuple of tensors, in eval mode and float32.
        input_size: Height and width.
        config_hash: Of the config's model, None for a network without a config.
        weights_hash: Of the weights, None for random ones.
        end_to_end: What surrounds the network in the scope 'e2e'; None where only 'net' is measured.
        precision: What it computes in whatever is asked for; None for what is asked for.
    """

    config: str
    task: str
    network: nn.Module
    input_size: tuple[int, int]
    config_hash: str | None = None
    weights_hash: str | None = None
    end_to_end: 'JpegToResult | None' = None
    precision: str | None = None

    @property
    def name(self) -> str:
        """The config's name without folder and ending."""
        return Path(self.config).stem

    has_network: ClassVar[bool] = True
    """Whether ``network`` is the one that is measured, so that outputs can be compared with its own."""

    def precisions(self, engine: Engine, asked: Sequence[str]) -> Sequence[str]:
        """Those of ``asked`` that it is measured in on an engine."""
        return asked

    def prepare(self, engine: Engine, precision: str, threads: int, hint: str = 'latency') -> Prepared:
        """Makes it ready on an engine, for one image at a time or with the hint 'throughput' for several."""
        prepare = engine.prepare_load if hint == 'throughput' else engine.prepare
        return prepare(self.network, example_input(self.input_size), precision=precision, threads=threads)

    @cached_property
    def complexity(self) -> Complexity:
        """Parameters and operations of one inference."""
        return count_complexity(self.network, example_input(self.input_size))

    @cached_property
    def subnormals(self) -> int:
        """Weights that are subnormal numbers."""
        return environment.count_subnormals(self.network)


class TimeLimit:
    """The ``seconds`` that a benchmark has from now on, shared by ``turns``: numbers of threads one after the other."""

    def __init__(self, seconds: float, turns: int = 1, clock: Callable[[], float] = time.monotonic):
        self.seconds, self.turns = seconds, turns
        self._clock, self._start = clock, clock()

    def may_prepare(self, turn: int) -> bool:
        """Whether there is time in this turn to prepare another network."""
        return self._clock() < self._end(turn - 1 + _PREPARE)

    def budget(self, wanted: Budget, first_ms: Sequence[float], turn: int) -> Budget:
        """``wanted`` less what this turn has no time for, by first inferences; the slowest rows lose samples first."""
        left = max(self._end(turn) - self._clock(), 1.)
        needs = [ms / 1e3 * (wanted.samples + _WARM_UP_RUNS) for ms in first_ms]
        return replace(
            wanted, max_seconds=min(wanted.max_seconds, largest_share(needs, left * _SAMPLE)),
            warmup_seconds=min(wanted.warmup_seconds, max(left * (1 - _SAMPLE) / max(len(needs), 1), 0.1)))

    def share(self, parts: int) -> 'TimeLimit':
        """A limit for the first of so many equal parts of the time that is left, if any."""
        return TimeLimit(max(self._end(self.turns - 1) - self._clock(), 0.) / parts, clock=self._clock)

    def _end(self, turn: float) -> float:
        return self._start + self.seconds * (turn + 1) / self.turns


def largest_share(needs: Iterable[float], total: float) -> float:
    """The limit for each that keeps the sum of what all take of their ``needs`` within ``total``, above 0."""
    ordered = sorted(needs)
    for i, need in enumerate(ordered):
        share = total / (len(ordered) - i)
        if need > share:
            return share
        total -= need
    return ordered[-1] + total if ordered else total
