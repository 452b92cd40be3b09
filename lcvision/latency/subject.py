"""What goes into a benchmark and what comes out."""
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from torch import nn

from lcvision import environment
from lcvision.complexity import Complexity, count_complexity
from lcvision.deploy.engines.engine import Prepared
from lcvision.deploy.network import example_input


class EndToEnd(Protocol):
    """What turns an encoded image into a network's input and the network's raw maps into a result."""

    image: list[int]

    def bind(self, prepared: Prepared, threads: int) -> Callable[[], object]:
        """All of it as one call, with a network that is prepared for the subject's input size."""

    def stages_ms(self, prepared: Prepared, threads: int) -> dict[str, float]:
        """Median milliseconds of each stage, of a few runs."""


@dataclass
class Subject:
    """A network to measure.

    Args:
        config: The config it comes from, as the user named it.
        task: 'detection', 'segmentation' or 'classification'.
        network: (1, 3, H, W) -> flat tuple of tensors, in eval mode and float32.
        input_size: Height and width.
        config_hash: Hash of the config's model, None for a network that has no config.
        weights_hash: Hash of the weights, None for random ones.
        end_to_end: What surrounds the network in the scope 'e2e'; None where only 'net' is measured.
    """

    config: str
    task: str
    network: nn.Module
    input_size: tuple[int, int]
    config_hash: str | None = None
    weights_hash: str | None = None
    end_to_end: EndToEnd | None = None

    @property
    def name(self) -> str:
        """The config's name without folder and ending."""
        return Path(self.config).stem

    @cached_property
    def complexity(self) -> Complexity:
        """Parameters and operations of one inference."""
        return count_complexity(self.network, example_input(self.input_size))

    @cached_property
    def subnormals(self) -> int:
        """Weights that are subnormal numbers."""
        return environment.count_subnormals(self.network)


@dataclass
class Failure:
    """A row that could not be measured.

    Args:
        name: Of the subject.
        engine: Of the engine.
        threads: Threads asked for.
        reason: One sentence.
    """

    name: str
    engine: str
    threads: int
    reason: str

    def __str__(self) -> str:
        return f'{self.name}, engine {self.engine}, {self.threads} thread(s): {self.reason}'


@dataclass
class Outcome:
    """What a benchmark gave: records in the order of subjects, threads and engines, and what failed.

    Args:
        records: Rows.
        failures: Rows that could not be measured.
        noise_floors: Of the A/A check, one for each number of threads.
        skipped: Rows that were left out, because there was no time or the engine lacks the precision.
    """

    records: list[dict] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    noise_floors: list[dict] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)
