"""Networks times engines times threads -> records with a profile."""
import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch

from lcvision.deploy.engines import ENGINES, Engine, Prepared
from lcvision.errors import UserError
from lcvision.latency.benchmark import NO_TIME, Progress, reason_of, run_benchmark
from lcvision.timing.rounds import Budget, quietly
from lcvision.latency.profiler.compiled_trace import NAMED_KERNELS
from lcvision.latency.profiler.onednn_profile import profile_inference
from lcvision.latency.record import Failure, Outcome
from lcvision.latency.subject import Subject, TimeLimit


def check_profiled(engines: Sequence[Engine], scopes: Sequence[str] = ('net',)) -> None:
    """Refuses engines that write no log of oneDNN, and any scope but the network's.

    Raises:
        UserError: Names one and those that can be profiled.
    """
    for engine in engines:
        if engine.traced is None:
            raise UserError(f"--profile reads the log of torch's oneDNN, which engine {engine.name!r} does not write: "
                            f"give --engine one or more of {', '.join(traceable())}")
    if list(scopes) != ['net']:
        raise UserError(f"--profile takes the network apart, not --scope {','.join(scopes)}: leave --scope out")
    if not torch.backends.mkldnn.is_available():
        raise UserError('--profile reads the log of oneDNN, and this build of torch has none: install one that has it')


def traceable() -> list[str]:
    """Names of the engines whose inferences can be taken apart."""
    return [name for name, engine in ENGINES.items() if engine.traced]


def run_profiles(subjects: Sequence[Subject], engines: Sequence[Engine], threads: Sequence[int], *,
                 precisions: Sequence[str] = ('fp32',), budget: Budget | None = None,
                 progress: Progress | None = None, time_limit: TimeLimit | None = None,
                 deliver: Callable[[Outcome], None] | None = None) -> Outcome:
    """Measures as :func:`run_benchmark` does, one row after the other, and profiles each.

    Args:
        subjects: Networks.
        engines: Those of :func:`traceable`.
        threads: Numbers of threads.
        precisions: Precisions.
        budget: Of the measurement without profile.
        progress: Told what is going on and the share done.
        time_limit: When to be done; rows that there is no time for are skipped.
        deliver: Given the outcome as far as it is known, after each row.

    Returns:
        Records with a profile, see
        :func:`~lcvision.latency.profiler.onednn_profile.profile_inference`.
    """
    outcome = Outcome()
    rows = [(subject, engine, precision, count) for subject in subjects for count in threads for engine in engines
            for precision in precisions if precision in engine.precisions]
    for turn, (subject, engine, precision, count) in enumerate(rows):
        def report(text: str, done: float, turn: int = turn) -> None:
            if progress:
                progress(text, (turn + done) / len(rows))

        share = time_limit and time_limit.share(2 * (len(rows) - turn))
        if turn and share and not share.seconds:
            outcome.skipped.append(Failure(subject.name, engine.name, count, NO_TIME))
            continue
        keeping, prepared = _keeping(engine)
        measured = run_benchmark([subject], [keeping], [count], precisions=[precision], budget=budget, time_limit=share,
                                 progress=lambda text, done, report=report: report(text, done / 2))  # type: ignore[misc]
        outcome.failures += measured.failures
        outcome.records += measured.records
        for record in measured.records:
            report(f'{count} thread(s): profiling {subject.name} on {engine.name}', 0.5)
            try:
                record.profile = quietly(partial(profile_inference, prepared[-1], subject, engine.traced,
                                                 precision, count), count)
            except Exception as error:
                outcome.failures.append(Failure(subject.name, engine.name, count, reason_of(error)))
        if deliver:
            deliver(outcome)
    return outcome


def _keeping(engine: Engine) -> tuple[Engine, list[Prepared]]:
    """The engine, with generated kernels that can be told apart, and a list that takes what it prepares."""
    prepared: list[Prepared] = []

    def prepare(*args: Any, **settings: Any) -> Prepared:
        with torch._inductor.config.patch(NAMED_KERNELS) if engine.traced == 'kernels' else nullcontext():
            prepared.append(engine.prepare(*args, **settings))
        return prepared[-1]

    keeping = copy.copy(engine)
    keeping.prepare = prepare  # type: ignore[method-assign]
    return keeping, prepared
