"""Networks times engines times threads -> records."""
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from lcvision.complexity import count_complexity
from lcvision.errors import UserError
from lcvision.latency import environment
from lcvision.latency.engines import Engine, EngineError, Prepared
from lcvision.latency.measure import Budget, Series, measure_rounds, quietly
from lcvision.latency.network import example_input
from lcvision.latency.statistics import noise_reasons, summarize

# Largest difference from eager float32 that is rounding and not an error, as a share of the tensor's largest magnitude.
TOLERANCES = {'fp32': 1e-3}

Progress = Callable[[str, float], None]


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
    """

    config: str
    task: str
    network: nn.Module
    input_size: tuple[int, int]
    config_hash: str | None = None
    weights_hash: str | None = None

    @property
    def name(self) -> str:
        """The config's name without folder and ending."""
        return Path(self.config).stem

    @property
    def example(self) -> torch.Tensor:
        """The input it is measured with."""
        return example_input(self.input_size)


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
        return f'{self.name} on {self.engine} with {self.threads} thread(s): {self.reason}'


@dataclass
class Outcome:
    """What a benchmark gave: records in the order of subjects, threads and engines, and what failed."""

    records: list[dict] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


@dataclass
class _Row:
    subject: Subject
    engine: Engine
    precision: str
    prepared: Prepared
    max_abs_diff: float
    max_rel_diff: float


def check_threads(threads: Sequence[int]) -> None:
    """Refuses numbers of threads that cannot run at once here.

    Raises:
        UserError: Says the limit.
    """
    usable, quota = environment.usable_threads(), environment.cgroup_quota()
    for count in threads:
        if count < 1:
            raise UserError(f'threads must be whole numbers of at least 1, got {count}')
        if count > usable:
            limit = f'{len(environment.affinity())} CPUs' + ('' if quota is None else f' and a quota of {quota:g}')
            raise UserError(f'{count} threads cannot run at once: this process may use {limit}, '
                            f'ask for at most {usable}')


def benchmark(subjects: Sequence[Subject], engines: Sequence[Engine], threads: Sequence[int], *,
              precisions: Sequence[str] = ('fp32',), budget: Budget | None = None, best_only: bool = False,
              progress: Progress | None = None) -> Outcome:
    """Measures every network on every engine, all rows of one number of threads in the same rounds.

    Args:
        subjects: Networks.
        engines: Installed engines.
        threads: Numbers of threads, each within the limits of this process.
        precisions: Precisions that every engine has.
        budget: Samples and seconds.
        best_only: Whether only the quickest engine of each network, precision and number of threads is kept.
        progress: Told what is going on and the share done.

    Raises:
        UserError: More threads than can run at once.
    """
    check_threads(threads)
    outcome = Outcome()
    told = progress or (lambda text, done: None)
    work = _Work(subjects, engines, precisions, budget or Budget(), outcome)
    for index, count in enumerate(threads):
        def told_here(text: str, done: float, index: int = index) -> None:
            told(text, (index + done) / len(threads))

        with _counted(work, count, told_here):
            quietly(work.run, count)
    if best_only:
        outcome.records = best_records(outcome.records)
    order = {subject.config: i for i, subject in enumerate(subjects)}
    outcome.records.sort(key=lambda record: order[record['config']])
    return outcome


def best_records(records: Sequence[dict]) -> list[dict]:
    """The quickest engine for each config, input, precision and number of threads."""
    best: dict[tuple, dict] = {}
    for record in records:
        key = (record['config'], *record['input'], record['precision'], record['threads'])
        if key not in best or record['latency_ms']['median'] < best[key]['latency_ms']['median']:
            best[key] = record
    return list(best.values())


def compare_outputs(outputs: Sequence[torch.Tensor], reference: Sequence[torch.Tensor]) -> tuple[float, float]:
    """Largest difference of any output from its reference.

    Args:
        outputs: What an engine gave.
        reference: What eager float32 gave, unfused.

    Returns:
        The absolute difference, and the same as a share of the largest magnitude in the tensor it was found in;
        infinite where number, shape or finiteness differ.
    """
    if [tuple(x.shape) for x in outputs] != [tuple(x.shape) for x in reference]:
        return float('inf'), float('inf')
    absolute = relative = 0.
    for x, expected in zip(outputs, reference, strict=True):
        if not torch.isfinite(x).all() or not torch.isfinite(expected).all():
            return float('inf'), float('inf')
        difference = float((x.float() - expected).abs().max()) if x.numel() else 0.
        magnitude = float(expected.abs().max()) if x.numel() else 1.
        absolute = max(absolute, difference)
        relative = max(relative, difference / max(magnitude, torch.finfo(torch.float32).tiny))
    return absolute, relative
