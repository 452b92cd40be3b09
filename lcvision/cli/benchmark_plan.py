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


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        budget, minutes: Samples and seconds a row, and the time limit; None for as long as it takes.
        size: Height and width asked for.
        preset, notes: The set of models, None where configs were named, and where the plan differs from it.
    """

    configs: list[str]
    engine: str
    threads: list[int]
    budget: Budget
    minutes: float | None
    size: tuple[int, int] | None
    preset: Preset | None
    notes: tuple[str, ...] = ()

    def size_of(self, path: str, config: Config) -> tuple[int, int]:
        """Height and width that the config in a file is measured at."""
        return self.size or (self.preset and self.preset.size(path)) or find_input_size(config)


def make_plan(args: argparse.Namespace) -> Plan:
    """Reads the options; raises UserError if one is wrong or contradicts the preset."""
    preset = _preset(args)
    threads, notes = _threads(args.threads, preset, args.preset)
    engine = args.engine or ('eager' if args.profile else preset.engine if preset else 'all')
    configs = preset.paths() if preset else list(dict.fromkeys(
        name if is_exported(name) else find_config(name) for name in args.configs))
    return Plan(configs, engine, threads, _budget(args, preset), _minutes(args.minutes, preset),
                parse_input_size(args.input_size) if args.input_size else None, preset, notes)


def _preset(args: argparse.Namespace) -> Preset | None:
    if args.preset is None:
        return None if args.configs else DEFAULT
    preset = find_preset(args.preset)
    for value, flag in ((args.configs, 'config files'), (args.precision != 'fp32', '--precision'),
                        (args.scope != 'net', '--scope'), (args.hint != 'latency', '--hint'),
                        (args.input_size, '--input-size')):
        if value:
            raise UserError(f'--preset {args.preset} fixes models, precision, scope, hint and input sizes: leave out '
                            f'{flag}, or the preset')
    return preset


def _threads(text: str | None, preset: Preset | None, name: str | None) -> tuple[list[int], tuple[str, ...]]:
    usable, wanted = environment.usable_threads(), preset.threads if preset else None
    if text is None:
        if wanted and wanted > usable:
            return [usable], (f'{name}: {wanted} threads in the paper, {usable} here, as many as can run at once',)
        return [wanted or usable], ()
    try:
        threads = list(dict.fromkeys(int(part) for part in text.split(',')))
    except ValueError:
        raise UserError(f'--threads {text!r} is not a list of whole numbers: write for example 1,2') from None
    environment.check_threads(threads)
    return threads, (f'{name}: {wanted} threads in the paper, {text} here as asked for',) if wanted else ()


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
