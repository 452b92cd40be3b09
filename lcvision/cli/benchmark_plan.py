"""What a command line asks the benchmark to do, from options and preset."""
import argparse
from dataclasses import dataclass, replace

from mmengine.config import Config

from lcvision import environment
from lcvision.config import find_config
from lcvision.deploy.input_size import find_input_size, parse_input_size
from lcvision.errors import UserError
from lcvision.inference.runtime.exported_file import is_exported
from lcvision.latency import Budget
from lcvision.latency.presets import DEFAULT, Preset, find_preset
from lcvision.latency.record import parse_scopes


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        budget, minutes: Samples and seconds a row, and the time limit; None for as long as it takes.
        size: Height and width asked for.
        precisions, scopes: As asked for.
        preset, notes: The set of models, None where configs were named, and where the plan differs from it.
    """

    configs: list[str]
    engine: str
    threads: list[int]
    budget: Budget
    minutes: float | None
    size: tuple[int, int] | None
    precisions: list[str]
    scopes: list[str]
    preset: Preset | None
    notes: tuple[str, ...] = ()

    def size_of(self, config: Config) -> tuple[int, int]:
        """Height and width that a config is measured at."""
        return self.size or (self.preset and self.preset.size(config)) or find_input_size(config)


def make_plan(args: argparse.Namespace) -> Plan:
    """Reads the options; raises UserError if one is wrong or contradicts the preset."""
    preset = _preset(args)
    threads, notes = _threads(args.threads, preset, args.preset)
    engine = args.engine or ('eager' if args.profile else preset.engine if preset else 'all')
    configs = [*(preset.paths() if preset else ()), *dict.fromkeys(
        name if is_exported(name) else find_config(name) for name in args.configs)]
    precision = args.precision if args.precision is not None else preset.precision if preset else 'fp32'
    scope = args.scope if args.scope is not None else preset.scope if preset else 'net'
    return Plan(configs, engine, threads, _budget(args, preset), _minutes(args.minutes, preset),
                parse_input_size(args.input_size) if args.input_size else None,
                list(dict.fromkeys(precision.split(','))), parse_scopes(scope), preset, notes)


def _preset(args: argparse.Namespace) -> Preset | None:
    if args.preset is None:
        return None if args.configs else DEFAULT
    preset = find_preset(args.preset)
    paper = preset.describe is not None
    more = [name for name in args.configs if paper or not is_exported(name)]
    for value, flag in ((more, 'config files'), (paper and args.precision, '--precision'),
                        (paper and args.scope, '--scope'), (args.hint != 'latency', '--hint'),
                        (args.input_size, '--input-size')):
        if value:
            raise UserError(f'--preset {args.preset} fixes models, precision, scope, hint and input sizes: leave out '
                            f'{flag}, or the preset')
    return preset


def _threads(text: str | None, preset: Preset | None, name: str | None) -> tuple[list[int], tuple[str, ...]]:
    usable, wanted = environment.usable_threads(), preset.threads if preset else ()
    paper = f'{name}: {wanted[0]} threads in the paper' if preset and preset.describe and wanted else ''
    if text is None:
        threads = [count for count in wanted if count <= usable] or [usable]
        return threads, (f'{paper}, {usable} here, as many as can run at once',) * bool(paper and threads != [*wanted])
    try:
        threads = list(dict.fromkeys(int(part) for part in text.split(',')))
    except ValueError:
        raise UserError(f'--threads {text!r} is not a list of whole numbers: write for example 1,2') from None
    environment.check_threads(threads)
    return threads, (f'{paper}, {text} here as asked for',) * bool(paper)


def _budget(args: argparse.Namespace, preset: Preset | None) -> Budget:
    budget = preset.budget if preset else Budget()
    try:
        if args.samples is not None:
            budget = replace(budget, samples=int(args.samples))
        if args.max_seconds is not None:
            seconds = float(args.max_seconds)
            budget = replace(budget, max_seconds=seconds, warmup_seconds=min(budget.warmup_seconds, seconds))
    except ValueError:
        raise UserError(f'--samples {args.samples} --max-seconds {args.max_seconds}: samples is a whole number of at '
                        'least 1, seconds a number above 0') from None
    return budget


def _minutes(text: str | None, preset: Preset | None) -> float | None:
    if text is None:
        return preset.minutes if preset else None
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.
    if not 0 < minutes < float('inf'):
        raise UserError(f'--minutes {text} is not a number above 0: write for example 9')
    return minutes
