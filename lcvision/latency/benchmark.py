"""Networks times engines times threads -> records."""
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from lcvision.complexity import Complexity, count_complexity
from lcvision.errors import UserError
from lcvision.latency import environment
from lcvision.latency.engines import Engine, EngineError, Prepared
from lcvision.latency.gate import allowed_difference, compare_outputs, objection
from lcvision.latency.measure import Budget, Series, measure_rounds, quietly
from lcvision.latency.network import example_input
from lcvision.latency.statistics import noise_reasons, summarize

Progress = Callable[[str, float], None]
SCOPES = ('net', 'e2e')


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
    """What a benchmark gave: records in the order of subjects, threads and engines, and what failed."""

    records: list[dict] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


@dataclass
class _Row:
    index: int
    subject: Subject
    engine: Engine
    precision: str
    threads: int
    prepared: Prepared
    difference: tuple[float, float]
    scope: str
    run: Callable[[], object]


def run_benchmark(subjects: Sequence[Subject], engines: Sequence[Engine], threads: Sequence[int], *,
              precisions: Sequence[str] = ('fp32',), scopes: Sequence[str] = ('net',), budget: Budget | None = None,
              best_only: bool = False, progress: Progress | None = None) -> Outcome:
    """Measures every network on every engine; all rows of one number of threads share their rounds.

    Args:
        subjects: Networks.
        engines: Installed engines.
        threads: Numbers of threads, each within the limits of this process.
        precisions: Precisions, each that at least one of the engines has; the others have no rows in it.
        scopes: 'net', 'e2e' or both, which then take turns in the same rounds; 'e2e' needs subjects that have it.
        budget: Samples and seconds.
        best_only: Whether only the quickest engine of each network, precision and number of threads is kept.
        progress: Told what is going on and the share done.

    Raises:
        UserError: More threads than can run at once.
    """
    check_threads(threads)
    outcome = Outcome()
    indexed: list[tuple[int, dict]] = []
    for turn, count in enumerate(threads):
        def told(text: str, done: float, turn: int = turn) -> None:
            if progress:
                progress(text, (turn + done) / len(threads))

        def work(count: int = count, told: Progress = told) -> None:
            rows = list(_prepared(subjects, engines, precisions, scopes, count, outcome.failures, told))
            if rows:
                text = f'{count} thread(s): measuring {len(rows)} row(s) in rounds'
                told(text, 0.5)
                series = measure_rounds([row.run for row in rows], budget or Budget(),
                                        lambda done: told(text, 0.5 + done / 2))
                indexed.extend((row.index, _record(row, one)) for row, one in zip(rows, series, strict=True))

        quietly(work, count)
    outcome.records = [record for _, record in sorted(indexed, key=lambda pair: pair[0])]
    if best_only:
        outcome.records = best_records(outcome.records)
    return outcome


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


def best_records(records: Sequence[dict]) -> list[dict]:
    """The quickest engine for each config, input, precision and number of threads."""
    best: dict[tuple, dict] = {}
    for record in records:
        key = (record['config'], *record['input'], record['precision'], record['threads'], record.get('scope'))
        if key not in best or record['latency_ms']['median'] < best[key]['latency_ms']['median']:
            best[key] = record
    return list(best.values())


def _prepared(subjects: Sequence[Subject], engines: Sequence[Engine], precisions: Sequence[str], scopes: Sequence[str],
              threads: int, failures: list[Failure], told: Progress) -> Iterator[_Row]:
    combinations = [(pair, engine, precision) for pair, engine, precision in
                    product(enumerate(subjects), engines, precisions) if precision in engine.precisions]
    reference: tuple[torch.Tensor, ...] = ()
    allowed: dict[str, float] = {}
    known = None
    for turn, ((index, subject), engine, precision) in enumerate(combinations):
        told(f'{threads} thread(s): preparing {subject.name} for {engine.name}', turn / len(combinations) / 2)
        example = example_input(subject.input_size)
        try:
            prepared = engine.prepare(subject.network, example, precision=precision, threads=threads)
            if known is not subject:
                # After the first engine is prepared: its first inference must find everything cold.
                reference, known, allowed = subject.network(example), subject, {}
            if precision not in allowed:
                allowed[precision] = allowed_difference(subject.network, example, precision)
            difference = compare_outputs(prepared.run(prepared.example), reference)
            reason = objection(difference[1], allowed[precision])
            if reason:
                raise EngineError(reason)
        except EngineError as error:
            failures.append(Failure(subject.name, engine.name, threads, str(error)))
            continue
        for scope in scopes:
            yield _Row(index, subject, engine, precision, threads, prepared, difference, scope,
                       _call(scope, subject, prepared, threads))


def _call(scope: str, subject: Subject, prepared: Prepared, threads: int) -> Callable[[], object]:
    if scope == 'net':
        return partial(prepared.run, prepared.example)
    if subject.end_to_end is None:
        raise ValueError(f"{subject.name} cannot be measured in the scope 'e2e': it was made without end_to_end")
    return subject.end_to_end.bind(prepared, threads)


def _record(row: _Row, series: Series) -> dict:
    subject, prepared = row.subject, row.prepared
    reasons = noise_reasons(series.samples_ms, switches=series.switches, others=series.others, threads=row.threads,
                            cpus=len(environment.affinity()))
    record = {
        'config': subject.config,
        'task': subject.task,
        'engine': prepared.engine or row.engine.name,
        'precision': row.precision,
        'threads': row.threads,
        'batch': 1,
        'input': list(subject.input_size),
        'scope': row.scope,
        'params': subject.complexity.params,
        'macs': subject.complexity.macs,
        'latency_ms': summarize(series.samples_ms).as_json(),
        'samples': len(series.samples_ms),
        'first_ms': round(prepared.first_ms, 5),
        'compile_s': None if prepared.compile_s is None else round(prepared.compile_s, 3),
        'max_abs_diff': row.difference[0],
        'noisy': bool(reasons),
        'noisy_because': reasons,
        'max_rel_diff': row.difference[1],
        'layout': prepared.layout,
        'warmup_runs': series.warmup_runs,
        'subnormal_weights': subject.subnormals,
        'config_hash': subject.config_hash,
        'weights_hash': subject.weights_hash,
    }
    if row.scope == 'e2e' and subject.end_to_end is not None:
        # After the rounds: its clock would cost time within them.
        record['image'] = subject.end_to_end.image
        record['stages_ms'] = subject.end_to_end.stages_ms(prepared, row.threads)
    return record
