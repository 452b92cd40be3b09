"""Measures networks on this CPU and prints a table."""
import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lcvision import environment
from lcvision.cli.benchmark_plan import Plan, make_plan
from lcvision.config import load_config
from lcvision.deploy.engines import ENGINES, availability, check_hint, check_precisions, select_engines
from lcvision.errors import UserError
from lcvision.files import check_target, write_atomically, writing
from lcvision.inference.runtime.exported_file import is_exported
from lcvision.latency import NO_TIME, Measurements, Outcome, Subject, run_benchmark
from lcvision.latency.compare import compare_runs, describe_floor, read_baseline
from lcvision.latency.file_subject import file_subject
from lcvision.latency.measure_configs import make_subject
from lcvision.latency.paper_comparison import format_ratios
from lcvision.latency.presets import PRESETS
from lcvision.latency.profiler import check_profiled, format_profiles, run_profiles, traceable
from lcvision.latency.subject import TimeLimit
from lcvision.latency.table import format_table
from lcvision.timing.contention import involuntary_switches


def main(argv: Sequence[str] | None = None) -> int:
    """Measures; returns 1 when a row could not be measured, is slower than the baseline's or is missing beside it.

    Ctrl-C goes on once what was measured so far has been delivered.
    """
    args = _parser().parse_args(argv)
    plan = make_plan(args)
    # First, since what they import may register engines.
    configs = {path: load_config(path) for path in plan.configs if not is_exported(path)}
    engines = select_engines(plan.engine, fresh=args.fresh)
    precisions, scopes = plan.precisions, plan.scopes
    check_precisions(precisions, engines)
    baseline = read_baseline(args.compare) if args.compare else None
    hint = check_hint(args.hint, engines, scopes)
    if hint == 'throughput' and (args.profile or args.plot):
        raise UserError('--hint throughput has no --profile and no --plot: leave them out')
    files = {path: file_subject(path, plan.size, engines) for path in plan.configs if is_exported(path)}
    if files and args.profile:
        raise UserError(f'{next(iter(files))} is measured as a whole, from input to outputs: leave out --profile, or '
                        'give the config')
    foreign = next((path for path, one in files.items() if 'e2e' in scopes and one.end_to_end is None), None)
    if foreign:
        raise UserError(f'{foreign} does not say how an image becomes its input of this size: leave out --scope e2e '
                        'and --input-size, or give a file that lcvision export wrote')
    if args.profile:
        check_profiled(engines, scopes)
    check_target('--json', args.json)
    check_target('--plot', args.plot)
    if args.plot and Path(args.plot).suffix != '.png':
        raise UserError(f'--plot {args.plot} must end in .png')
    limit = TimeLimit(plan.minutes * 60, len(plan.threads)) if plan.minutes else None
    progress, delivery = _Progress(), _Delivery(args, plan, baseline)
    settings: dict[str, Any] = dict(precisions=precisions, budget=plan.budget, time_limit=limit, progress=progress,
                                    deliver=delivery.write)
    for engine in engines:
        engine.progress = progress.tell
    try:
        made = _subjects(plan, configs, scopes, progress)
        subjects = [files[path] if path in files else made[path] for path in plan.configs]
        if args.profile:
            run_profiles(subjects, engines, plan.threads, **settings)
        else:
            run_benchmark(subjects, engines, plan.threads, scopes=scopes, hint=hint, noise_check=True, **settings)
    except KeyboardInterrupt:
        progress.close()
        delivery.finish(judge=False)
        raise
    finally:
        progress.close()
    return delivery.finish()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description='Measures the network of each config (image tensor to raw maps) '
                                     'on this CPU, batch 1. Needs neither data nor weights.')
    add = parser.add_argument
    add('configs', nargs='*', metavar='CONFIG', help='paths or names, or files (.onnx, .xml), '
                        'also of others, which get random numbers; without one, the default set')
    add('--engine', metavar='NAME,...|all|best', help=f"{', '.join(ENGINES)}; all: every one installed (the default); "
        'best: the quickest for each network, measured once and remembered')
    add('--fresh', action='store_true', help='measure for --engine best although the choice is known')
    add('--threads', metavar='N,...', help='numbers of threads; without it, as many as can run at once')
    add('--input-size', metavar='HxW', help="instead of the config's own test size")
    add('--precision', metavar='NAME,...', help='; '.join(
        f"{name}: {', '.join(engine.name for engine in ENGINES.values() if name in engine.precisions)}"
        for name in dict.fromkeys(name for engine in ENGINES.values() for name in engine.precisions)))
    add('--scope', metavar='NAME,...', help='net (image tensor to raw maps, the default), e2e (encoded '
        'image in memory to boxes, label map or class), or both')
    add('--hint', default='latency', metavar='NAME', help='latency (one image at a time, the default), or throughput: '
        'images per second with all threads busy; '
        f"{', '.join(name for name, engine in ENGINES.items() if 'throughput' in engine.hints)}")
    add('--preset', metavar='NAME', help=f"a set of models and conditions: {', '.join(PRESETS)}")
    add('--samples', metavar='N', help='samples for each row (200, or as the preset says)')
    add('--max-seconds', metavar='S', help='seconds of sampling and of warm-up for each row (60 and 30, or as the '
        'preset says); a slow row gets fewer samples')
    add('--minutes', metavar='N', help='end in about N minutes, leaving out rows that there is no time for (9 where no '
        'config is named, else no limit)')
    add('--compare', metavar='BASELINE.json',
        help='exit 1 when a row is slower than in this earlier --json of the same machine, or missing')
    add('--profile', action='store_true',
        help=f"take each inference apart, layer by layer; engines {', '.join(traceable())} (eager)")
    add('--json', metavar='FILE', help='write environment and records')
    add('--plot', metavar='FILE.png', help='draw the records')
    return parser


def _subjects(plan: Plan, configs: dict[str, Config], scopes: list[str],
              progress: Callable[[str, float], None]) -> dict[str, Subject]:
    sizes = {path: plan.size_of(config) for path, config in configs.items()}
    subjects = {}
    for path, config in configs.items():
        progress(f'building {Path(path).stem}', 0.)
        subjects[path] = make_subject(path, config, sizes[path], scopes)
    return subjects


class _Delivery:
    """Writes what is measured to the file as it comes, and to the terminal at the end."""

    def __init__(self, args: argparse.Namespace, plan: Plan, baseline: Measurements | None):
        self.args, self.plan, self.baseline = args, plan, baseline
        self._outcome = Outcome()
        self._before = {**environment.collect(), 'context_switches': involuntary_switches(), 'engines': availability()}

    def _machine(self) -> dict:
        return {**self._before, 'load_average_after': environment.load_average(),
                'context_switches_after': involuntary_switches(), 'noise_floor': self._outcome.noise_floors}

    def write(self, outcome: Outcome) -> None:
        """Replaces the file; one that cannot be written is tried again at the end, which reports it."""
        self._outcome = outcome
        if outcome.records:
            with contextlib.suppress(OSError):
                self._write()

    def _write(self) -> None:
        if self.args.json:
            content = Measurements(self._machine(), self._outcome.records).to_json()
            write_atomically(self.args.json, (json.dumps(content, indent=1, allow_nan=False) + '\n').encode())

    def finish(self, judge: bool = True) -> int:
        """Prints and draws, and compares with the baseline where the run is complete; returns the exit code."""
        outcome, machine, plan = self._outcome, self._machine(), self.plan
        floors = outcome.noise_floors
        if outcome.records:
            describe = plan.preset.describe if plan.preset and plan.preset.describe else format_ratios
            print('\n'.join([format_table(outcome.records, machine), *map(describe_floor, floors), *plan.notes,
                             *describe(outcome.records, floors), *format_profiles(outcome.records)]))
        for reason in dict.fromkeys(row.reason for row in outcome.skipped):
            rows = dict.fromkeys(f'{row.name} on {row.engine}' for row in outcome.skipped if row.reason == reason)
            print(f"not measured, since {reason}{' (--minutes takes more)' * (reason == NO_TIME)}: {', '.join(rows)}")
        for name, reason in machine['engines'].items():
            if reason is not None:
                print(f'engine {name} is not installed: {reason}')
        for failure in outcome.failures:
            print(f'error: {failure}', file=sys.stderr)
        if judge or outcome.records:
            with writing(f'--json {self.args.json}'):
                self._write()
        if self.args.plot and outcome.records:
            from lcvision.report.picture import draw_records
            draw_records(outcome.records, machine, self.args.plot)
        return max(self._judge(machine) if judge else 0, int(bool(outcome.failures)))

    def _judge(self, machine: dict) -> int:
        if self.baseline is None or not self._outcome.records:
            return 0
        verdict = compare_runs(self._outcome.records, machine, self.baseline)
        print('\n'.join(verdict.lines))
        if verdict.comparable and not verdict.judged:
            raise UserError(f'--compare {self.args.compare} has no row measured like one of these (config, engine, '
                            'precision, threads, input, scope): nothing was compared')
        return int(verdict.failed)


class _Progress:
    """A bar on a terminal, a line for each stage elsewhere; it draws between samples only."""

    def __init__(self) -> None:
        self._bar, self._text, self._done, self._start = None, '', 0., time.monotonic()
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
            # Without its refreshing thread, which would take the interpreter away from the network being timed.
            self._bar = Progress(TextColumn('{task.description}'), BarColumn(), TimeElapsedColumn(),
                                 console=Console(stderr=True), transient=True, auto_refresh=False)
            self._task = self._bar.add_task('', total=1.)
            self._bar.start()

    def __call__(self, text: str, done: float) -> None:
        """Shows what is going on and the share done."""
        if self._bar:
            self._bar.update(self._task, description=text, completed=done, refresh=True)
        elif text != self._text:
            print(f'[{time.monotonic() - self._start:5.0f} s] {text}', file=sys.stderr, flush=True)
        self._text, self._done = text, done

    def tell(self, text: str) -> None:
        """Shows what is going on, with the same share done."""
        self(text, self._done)

    def close(self) -> None:
        """Clears the bar."""
        if self._bar:
            self._bar.stop()
