"""Measures networks on this CPU and prints a table."""
import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lcvision.cli.config import load_config
from lcvision.errors import UserError
from lcvision.latency import SCOPES, Budget, Outcome, Subject, check_threads, environment, run_benchmark
from lcvision.latency.end_to_end import end_to_end
from lcvision.latency.engines import ENGINES, BestEngine, availability, check_precisions, select_engines
from lcvision.latency.input_size import find_input_size, parse_input_size
from lcvision.latency.network import build_model, raw_network, task_of
from lcvision.latency.paper_ratios import format_ratios
from lcvision.latency.table import format_table, plot_records
from lcvision.weights.atomic_file import write_atomically

SCHEMA = 1
PRECISIONS = ('fp32', 'bf16', 'int8')
# Sets of models with their conditions, such as those of a paper's tables.
PRESETS: dict[str, Sequence[str]] = {}
_DEFAULTS = ('classification/pplcnet_0_5x', 'classification/pplcnet_1x', 'detection/picodet_pplcnet_0_5x',
             'detection/picodet_pplcnet_1x', 'segmentation/deeplabv3plus_pplcnet_0_5x',
             'segmentation/deeplabv3plus_pplcnet_1x')


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool.

    Args:
        argv: Arguments without the program's name; None takes the command line's.

    Returns:
        0, or 1 when a row could not be measured.

    Raises:
        UserError: An argument is wrong; nothing has been measured then.
    """
    args = _parser().parse_args(argv)
    engines = select_engines(args.engine, fresh=args.fresh)
    threads = _threads(args.threads)
    precisions = _precisions(args.precision)
    check_precisions(precisions, engines, everyone=args.engine not in ('all', 'best'))
    scopes, budget = _scopes(args.scope), _budget(args)
    for path in (args.json, args.plot):
        _check_target(path)
    if args.plot and Path(args.plot).suffix != '.png':
        raise UserError(f'--plot {args.plot} must end in .png')
    size = parse_input_size(args.input_size) if args.input_size else None
    progress = _Progress()
    for engine in engines:
        if isinstance(engine, BestEngine):
            engine.told = progress.tell
    try:
        subjects = _subjects(_configs(args), size, scopes, progress)
        before = environment.collect()
        outcome = run_benchmark(subjects, engines, threads, precisions=precisions, scopes=scopes, budget=budget,
                                progress=progress)
    finally:
        progress.close()
    return _deliver(args, outcome, {**before, 'load_average_after': environment.load_average(),
                                    'engines': availability()})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='benchmark_cpu.py', description='Measures the network of each config (image tensor to raw maps) on this '
        'CPU, batch 1. Needs neither data nor weights.')
    parser.add_argument('configs', nargs='*', metavar='CONFIG', help='config files; without one, the default set')
    parser.add_argument('--engine', default='all', metavar='NAME,...|all|best',
                        help=f"{', '.join(ENGINES)}; all: every one installed (the default); best: the quickest for "
                        'each network, measured once and remembered')
    parser.add_argument('--fresh', action='store_true', help='measure for --engine best although the choice is known')
    parser.add_argument('--threads', metavar='N,...', help='numbers of threads; without it, as many as can run at once')
    parser.add_argument('--input-size', metavar='HxW', help="instead of the config's own test size")
    parser.add_argument('--precision', default='fp32', metavar='NAME,...', help=', '.join(PRECISIONS))
    parser.add_argument('--scope', default='net', metavar='NAME,...',
                        help='net (image tensor to raw maps, the default), e2e (encoded image in memory to boxes, '
                        'label map or class), or both')
    parser.add_argument('--preset', metavar='NAME', help='a named set of models and conditions')
    parser.add_argument('--samples', default='200', metavar='N', help='samples a row (200)')
    parser.add_argument('--max-seconds', default='60', metavar='S',
                        help='seconds of sampling a row, then it ends with fewer samples (60)')
    parser.add_argument('--json', metavar='FILE', help='write environment and records')
    parser.add_argument('--plot', metavar='FILE.png', help='draw the records')
    return parser


def _threads(text: str | None) -> list[int]:
    if text is None:
        return [environment.usable_threads()]
    try:
        threads = list(dict.fromkeys(int(part) for part in text.split(',')))
    except ValueError:
        raise UserError(f'--threads {text!r} is not a list of whole numbers: write for example 1,2') from None
    check_threads(threads)
    return threads


def _precisions(text: str) -> list[str]:
    names = list(dict.fromkeys(text.split(',')))
    for name in names:
        if name not in PRECISIONS:
            raise UserError(f"unknown precision {name!r}: precisions are {', '.join(PRECISIONS)}")
    return names


def _scopes(text: str) -> list[str]:
    names = set(text.split(','))
    if not names <= set(SCOPES):
        raise UserError(f"unknown scope {text!r}: scopes are {', '.join(SCOPES)}, or both as {','.join(SCOPES)}")
    return [name for name in SCOPES if name in names]


def _budget(args: argparse.Namespace) -> Budget:
    try:
        return Budget(samples=int(args.samples), max_seconds=float(args.max_seconds))
    except ValueError:
        raise UserError(f'--samples {args.samples} --max-seconds {args.max_seconds}: samples is a whole number of at '
                        'least 1, seconds a number above 0') from None


def _check_target(path: str | None) -> None:
    if path and not Path(path).resolve().parent.is_dir():
        raise UserError(f'{path} cannot be written: the folder {Path(path).parent} does not exist, create it first')
    if path and Path(path).is_dir():
        raise UserError(f'{path} is a folder: give the name of a file')


def _configs(args: argparse.Namespace) -> list[str]:
    if args.preset is not None:
        if args.preset not in PRESETS:
            known = ', '.join(PRESETS) or 'none in this version'
            raise UserError(f'unknown preset {args.preset!r}: presets are {known}; name configs instead')
        return list(PRESETS[args.preset])
    if args.configs:
        return list(dict.fromkeys(args.configs))
    folder = Path(__file__).resolve().parents[2] / 'configs'
    found = [path for name in _DEFAULTS if (path := folder / f'{name}.py').is_file()]
    if not found:
        raise UserError(f'no config given, and none of the default set is in {folder}: give the path of a config')
    return [os.path.relpath(path) for path in found]


def _subjects(paths: list[str], size: tuple[int, int] | None, scopes: list[str],
              progress: Callable[[str, float], None]) -> list[Subject]:
    configs = {path: load_config(path) for path in paths}
    sizes = {path: size or find_input_size(config) for path, config in configs.items()}
    subjects = []
    for path, config in configs.items():
        progress(f'building {Path(path).stem}', 0.)
        model = build_model(config)
        network, around = end_to_end(config, model, sizes[path]) if 'e2e' in scopes else (
            raw_network(model, sizes[path]), None)
        subjects.append(Subject(path, task_of(model), network, sizes[path],
                                environment.config_hash(config.model.to_dict()), end_to_end=around))
    return subjects


def _deliver(args: argparse.Namespace, outcome: Outcome, machine: dict) -> int:
    if outcome.records:
        print('\n'.join([format_table(outcome.records, machine), *format_ratios(outcome.records)]))
    for name, reason in machine['engines'].items():
        if reason is not None:
            print(f'engine {name} is not installed: {reason}')
    if args.json:
        content = {'schema': SCHEMA, 'environment': machine, 'results': outcome.records}
        write_atomically(args.json, (json.dumps(content, indent=1, allow_nan=False) + '\n').encode())
    if args.plot and outcome.records:
        plot_records(outcome.records, machine, args.plot)
    for failure in outcome.failures:
        print(f'error: {failure}', file=sys.stderr)
    return 1 if outcome.failures else 0


class _Progress:
    """A bar on a terminal, a line for each stage elsewhere; it draws between samples only."""

    def __init__(self) -> None:
        self._bar = None
        self._text = ''
        self._done = 0.
        self._start = time.monotonic()
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
        """Shows what is going on without a step forward."""
        self(text, self._done)

    def close(self) -> None:
        """Clears the bar."""
        if self._bar:
            self._bar.stop()
