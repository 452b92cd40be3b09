"""Trains one unit, in a process of its own."""
import contextlib
import os
import platform
import resource
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lcvision.errors import DiskFull, RunFailed, UserError
from lcvision.search.folder import Folder, validations
from lcvision.search.plan import Plan, read_plan
from lcvision.search.tournament import Unit

LOG = 'log.txt'

Training = Callable[[Plan, Unit, 'Path | None', Path, int], dict[str, list]]
"""Plan, unit, checkpoint to go on from, folder to work in, threads -> metrics of each validation of the round."""


@dataclass(frozen=True)
class Ending:
    """How a unit has ended.

    Attributes:
        kind: 'done', 'lost' (another process has taken it over), 'died' (without a word), or 'failed'.
        sentence: Why.
        exit_code: Of the driver, where it failed.
    """

    kind: str
    sentence: str = ''
    exit_code: int = 0


def train_unit(plan: Plan, unit: Unit, start: Path | None, folder: Path, threads: int) -> dict[str, list]:
    """Trains a round as ``lcvision train`` does, on the schedule of the whole training; see :data:`Training`.

    Raises:
        UserError: The config, its options or the data are wrong.
        RunFailed: The training diverged.
    """
    import torch  # here, so that a driver need not load it

    from lcvision.search.configs import make_config
    from lcvision.training.train import train
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    member, rules = plan.members[unit.candidate], plan.rules
    cfg = make_config(member.config, member.options, member.name if plan.kind == 'search' else '')
    end = rules.end(unit.round)
    cfg.randomness = {**(cfg.get('randomness') or {}), 'seed': (cfg.get('randomness') or {}).get('seed', 0) + unit.seed}
    hooks = dict(cfg.get('default_hooks') or {})
    checkpoint = dict(hooks.get('checkpoint') or dict(type='lcvision.AtomicCheckpointHook'))
    checkpoint.update(save_best=None, max_keep_ckpts=1)
    hooks.update(latency=None, pictures=None, checkpoint=checkpoint)
    options = dict(plan.options)
    if 'max_epochs' in cfg.train_cfg:
        checkpoint.update(interval=end, max_keep_ckpts=-1)
        hooks['pause'] = dict(type='lcvision.PauseHook', epoch=end)
        options['train_cfg.val_interval'] = plan.val_interval
    cfg.default_hooks = hooks
    result = train(cfg, plan.data or None, epochs=plan.epochs or None, work_dir=folder, resume=start or False,
                   memory_format=plan.memory_format, cfg_options=options)
    kept = result.history[-validations(plan, unit.round):]
    names = [name for name, value in kept[-1].items() if isinstance(value, int | float)]
    return {name: [float(metrics[name]) for metrics in kept] for name in names}


def run_unit(folder: str | Path, name: str, threads: int, training: Training = train_unit,
             logged: bool = False) -> Ending:
    """Trains a unit of a folder's plan and publishes its result.

    A training that diverged is done: its accuracies are zeros, so that it loses.

    Args:
        folder: Of the search.
        name: Of the unit.
        threads: To compute with.
        training: What trains.
        logged: Whether this process's output goes to a file beside the result.
    """
    unit, plan = Unit.parse(name), read_plan(Path(folder))
    if unit is None or plan is None:
        return Ending('failed', f'{folder} has no plan, or {name} is no unit of one', 2)
    begun, diverged, attempt = time.monotonic(), None, Path(folder)
    try:
        place = Folder(Path(folder), plan)
        attempt = place.attempt(unit)
        if logged:
            _redirect(attempt / LOG)
        try:
            metrics = training(plan, unit, place.start(unit), attempt, threads)
        except RunFailed as error:
            diverged = str(error)
            metrics = {plan.metric: [0.] * validations(plan, unit.round)}
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        cost: dict[str, Any] = dict(
            seconds=round(time.monotonic() - begun, 3), threads=threads, host=platform.node(),
            cpu_seconds=round(sum(one.ru_utime + one.ru_stime for one in used), 3),
            epochs=plan.rules.length(unit.round))
        return Ending('done' if place.publish(unit, attempt, metrics, cost, diverged) else 'lost')
    except Exception as error:
        with contextlib.suppress(OSError):  # of a full disk
            traceback.print_exc()
        return _ending(error, unit, attempt)


def _ending(error: Exception, unit: Unit, attempt: Path) -> Ending:
    if not attempt.exists():  # this process slept so long that another one took over
        return Ending('lost')
    cause = error.__cause__ if isinstance(error, DiskFull) else error
    if isinstance(cause, OSError) and cause.errno in DiskFull.codes:
        return Ending('failed', f'{attempt} cannot be written ({cause.strerror}): make room and start the same command '
                      'again, which goes on from what is finished', 1)
    if isinstance(error, UserError):
        return Ending('failed', str(error), error.exit_code)
    return Ending('failed', f'{unit} failed: {type(error).__name__}: {str(error).strip()[:200]}; {attempt / LOG} has '
                  'its log', 1)


def _redirect(log: Path) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open('ab') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


if __name__ == '__main__':
    ending = run_unit(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    print(ending.sentence or ending.kind)
    raise SystemExit(ending.exit_code)
