"""Networks times engines times threads -> records."""
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

from lcvision import environment
from lcvision.deploy.engines.engine import Engine, EngineError, Prepared, first_line
from lcvision.deploy.network import example_input
from lcvision.deploy.output_check import OutputCheck, objection
from lcvision.latency.compare import mark_noisy, noise_floor
from lcvision.latency.record import Failure, LatencyRecord, Outcome
from lcvision.latency.subject import Subject, TimeLimit
from lcvision.timing.rounds import Budget, Interrupted, Series, measure_rounds, quietly
from lcvision.timing.statistics import noise_reasons, summarize
from lcvision.timing.yardstick import Yardstick, yardstick_moves

Progress = Callable[[str, float], None]
NO_TIME = 'there was no time for it'


@dataclass
class _Row:
    index: int
    subject: Subject
    engine: Engine
    precision: str
    threads: int
    prepared: Prepared
    difference: tuple[float | None, float | None]
    scope: str
    call: Callable[[], object]
    error: Exception | None = None

    @property
    def hint(self) -> str:
        """'throughput' where a run is of several images."""
        return 'throughput' if self.prepared.load else 'latency'

    @property
    def images(self) -> int:
        """Images of one run."""
        return self.prepared.load.images if self.prepared.load else 1

    def run(self) -> None:
        """One run; nothing once it has failed, so that the other rows of the rounds go on."""
        self._try(self.call)

    def drain(self) -> None:
        """Waits for what is still in work."""
        if self.prepared.load:
            self._try(self.prepared.load.drain)

    def _try(self, call: Callable[[], object]) -> None:
        if self.error is None:
            try:
                call()
            except Exception as error:
                self.error = error


def run_benchmark(subjects: Sequence[Subject], engines: Sequence[Engine], threads: Sequence[int], *,
                  precisions: Sequence[str] = ('fp32',), scopes: Sequence[str] = ('net',), hint: str = 'latency',
                  budget: Budget | None = None, progress: Progress | None = None, noise_check: bool = False,
                  time_limit: TimeLimit | None = None, deliver: Callable[[Outcome], None] | None = None) -> Outcome:
    """Measures every network on every engine; all rows of one number of threads share their rounds.

    A row that fails, for whatever reason, is a failure in the outcome and does not end the others.

    Args:
        subjects: Networks.
        engines: Installed engines.
        threads: Numbers of threads, each within the limits of this process.
        precisions: Precisions; rows of an engine that lacks one are skipped.
        scopes: 'net', 'e2e' or both, which then take turns in the same rounds; 'e2e' needs subjects that have it.
        hint: 'latency' runs one image at a time, 'throughput' as many as keep all threads busy, in scope 'net'; rows of
            an engine without it are skipped.
        budget: Samples and seconds for each row.
        progress: Called with what is going on and the share done.
        noise_check: Whether the smallest network takes part twice, for the noise floor.
        time_limit: When to be done; rows that cannot be prepared in time are skipped. None for as long as it takes.
        deliver: Called with the outcome so far, after each number of threads and before an interrupt goes on.

    Raises:
        UserError: More threads than can run at once.
    """
    environment.check_threads(threads)
    outcome = Outcome()
    engines = sorted(engines, key=lambda engine: engine.compiles) if time_limit else engines
    indexed: list[tuple[int, LatencyRecord]] = []
    for turn, count in enumerate(threads):
        def report(text: str, done: float, turn: int = turn) -> None:
            if progress:
                progress(text, (turn + done) / len(threads))

        def work(count: int = count, report: Progress = report, turn: int = turn) -> None:
            in_time = partial(time_limit.may_prepare, turn) if time_limit else lambda: True
            rows = list(_prepared(subjects, engines, precisions, scopes, hint, count, outcome, report,
                                  in_time))
            if rows:
                limited = budget or Budget()
                if time_limit:
                    limited = time_limit.budget(limited, [row.prepared.first_ms for row in rows], turn)
                text = f'{count} thread(s): measuring {len(rows)} row(s) in rounds'
                _measure(rows, limited, lambda done: report(text, 0.5 + done / 2), outcome, noise_check, indexed)

        try:
            quietly(work, count)
        finally:
            outcome.records = [record for _, record in sorted(indexed, key=lambda pair: pair[0])]
            if deliver:
                deliver(outcome)
    return outcome


def _prepared(subjects: Sequence[Subject], engines: Sequence[Engine], precisions: Sequence[str], scopes: Sequence[str],
              hint: str, threads: int, outcome: Outcome, report: Progress,
              in_time: Callable[[], bool]) -> Iterator[_Row]:
    combinations = [(pair, engine, precision) for engine, pair in product(engines, enumerate(subjects))
                    for precision in pair[1].precisions(engine, precisions)]
    checks: dict[int, OutputCheck] = {}
    for turn, ((index, subject), engine, precision) in enumerate(combinations):
        reason = (f'it does not run in {precision}' if precision not in (*engine.precisions, subject.precision) else
                  'it has no throughput mode' if hint not in engine.hints else None)
        if reason or (turn and not in_time()):
            outcome.skipped.append(Failure(subject.name, engine.name, threads, reason or NO_TIME))
            continue
        report(f'{threads} thread(s): preparing {subject.name} for {engine.name}', turn / len(combinations) / 2)
        example = example_input(subject.input_size)
        try:
            prepared = subject.prepare(engine, precision, threads, hint)
            # After the first engine is prepared: its first inference must find everything cold.
            difference: tuple[float | None, float | None] = None, None
            if subject.has_network:
                checks[index] = checks.get(index) or OutputCheck(subject.network, example)
                difference = checks[index].difference(prepared.run, prepared.example)
                reason = objection(difference[1], precision)
                if reason:
                    raise EngineError(reason)
        except Exception as error:
            outcome.failures.append(Failure(subject.name, engine.name, threads, reason_of(error)))
            continue
        for scope in scopes:
            yield _Row(index, subject, engine, precision, threads, prepared, difference, scope,
                       _call(scope, subject, prepared, threads))


def _call(scope: str, subject: Subject, prepared: Prepared, threads: int) -> Callable[[], object]:
    if scope == 'net':
        return prepared.load or partial(prepared.run, prepared.example)
    if subject.end_to_end is None:
        raise ValueError(f"{subject.name} cannot be measured in the scope 'e2e': it was made without end_to_end")
    return subject.end_to_end.bind(prepared, threads)


def _measure(rows: list[_Row], budget: Budget, report: Callable[[float], None], outcome: Outcome, noise_check: bool,
             indexed: list[tuple[int, LatencyRecord]]) -> None:
    # The smallest: it costs the least time and is disturbed the most.
    first = min(rows, key=lambda row: (row.scope != 'net', row.subject.complexity.macs))
    twin = _twin(first, outcome) if noise_check else None
    runs, stopped, yardstick = [*rows, twin] if twin else rows, None, Yardstick()
    try:
        series = measure_rounds([row.run for row in runs], budget, report, yardstick, lambda place: runs[place].drain())
    except Interrupted as interrupt:
        series, stopped = interrupt.series, interrupt
    for row, one in zip(runs, series, strict=False):
        one.blocks = {turn: block / row.images for turn, block in one.blocks.items()}
    found: list[tuple[_Row, Series, LatencyRecord]] = []
    for row, one in zip(rows, series, strict=False):
        try:
            if row.error:
                raise row.error
            if one.blocks:
                found.append((row, one, _record(row, one, yardstick)))
        except Exception as error:
            outcome.failures.append(Failure(row.subject.name, row.engine.name, row.threads, reason_of(error)))
    for row, one, record in found:
        if row is first and twin and not twin.error and one.blocks.keys() & series[-1].blocks.keys():
            outcome.noise_floors.append(noise_floor(record, one, series[-1]))
            mark_noisy([record for _, _, record in found], outcome.noise_floors[-1])
    indexed += [(row.index, record) for row, _, record in found]
    if stopped:
        raise stopped


def _twin(row: _Row, outcome: Outcome) -> _Row | None:
    """The row prepared anew: two runs of the tool differ in what a preparation chooses and where memory lies."""
    try:
        prepared = row.subject.prepare(row.engine, row.precision, row.threads, row.hint)
        return replace(row, prepared=prepared, call=_call(row.scope, row.subject, prepared, row.threads))
    except Exception as error:
        outcome.failures.append(Failure(row.subject.name, row.engine.name, row.threads,
                                        f'not prepared a second time for A/A: {reason_of(error)}'))
        return None


def reason_of(error: Exception) -> str:
    """Why a row failed, in one line; an unforeseen error with its type."""
    return str(error) if isinstance(error, EngineError) else f'{type(error).__name__}: {first_line(error)}'


def _record(row: _Row, series: Series, yardstick: Yardstick) -> LatencyRecord:
    subject, prepared = row.subject, row.prepared
    reasons = noise_reasons(series, row.threads) + yardstick_moves(series)
    surroundings = subject.end_to_end if row.scope == 'e2e' else None
    # Stages after the rounds: their clock would cost time within them.
    return LatencyRecord(
        config=subject.config, task=subject.task, engine=prepared.engine or row.engine.name, precision=row.precision,
        threads=row.threads, input=list(subject.input_size), scope=row.scope, params=subject.complexity.params or None,
        macs=subject.complexity.macs or None, latency_ms=summarize(list(series.blocks.values())),
        samples=len(series.samples_ms), first_ms=round(prepared.first_ms, 5),
        hint=row.hint, streams=prepared.load.streams if prepared.load else None,
        compile_s=None if prepared.compile_s is None else round(prepared.compile_s, 3),
        max_abs_diff=row.difference[0], noisy=bool(reasons), noisy_because=reasons, response_error=row.difference[1],
        layout=prepared.layout, engine_properties=prepared.properties, warmup_runs=series.warmup_runs,
        context_switches=series.switches, cpu_seconds=round(series.cpu_seconds, 5),
        other_cpus=round(series.contention.others, 2), subnormal_weights=subject.subnormals,
        config_hash=subject.config_hash, weights_hash=subject.weights_hash,
        image=surroundings.image if surroundings else None,
        stages_ms=surroundings.stages_ms(prepared, row.threads) if surroundings else None,
        yardstick=yardstick.record(series))
