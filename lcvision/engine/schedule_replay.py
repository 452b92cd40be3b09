"""Brings schedulers to the middle of a run."""
from types import SimpleNamespace

from mmengine.optim import BaseOptimWrapper, _ParamScheduler
from torch.optim import Optimizer

# What a scheduler's state says about its position; the rest is its plan.
_POSITION = {'last_step', '_global_step', '_last_value', 'base_values', 'optimizer', 'verbose', 'best',
             'num_bad_epochs', 'cooldown_counter', 'anneal_func'}


def same_plan(scheduler: _ParamScheduler, state: dict) -> bool:
    """Whether a saved state is that of a scheduler with the same settings.

    Args:
        scheduler: A scheduler as the config says.
        state: What was saved.
    """
    def plan(values: dict) -> dict:
        return {name: value for name, value in values.items() if name not in _POSITION}
    return plan(vars(scheduler)) == plan(state)


def start_values(optimizer: Optimizer | BaseOptimWrapper) -> list[dict[str, float]]:
    """What the schedulers have noted in each group of parameters: where they start and between which ends.

    Args:
        optimizer: Its schedulers are built, and nothing is restored.
    """
    return [{name: value for name, value in group.items() if name.startswith(('initial_', 'max_', 'min_'))}
            for group in optimizer.param_groups]


def replay(schedulers: list[_ParamScheduler], optimizer: Optimizer | BaseOptimWrapper, starts: list[dict[str, float]],
           iterations: int, epoch_length: int | None) -> None:
    """Gives the optimiser the values that it would have, had these schedulers led it from the start.

    The schedulers of mmengine compute a value from that of the step before: there is no way around taking the steps.
    Groups of equal start values are led as one, which keeps this below a second.

    Args:
        schedulers: They are left where they would be.
        optimizer: Its groups get the scheduled values.
        starts: What :func:`start_values` gave before a checkpoint was read.
        iterations: Steps taken so far.
        epoch_length: Steps of an epoch; None where no epoch ends.
    """
    groups = optimizer.param_groups
    names = {scheduler.param_name for scheduler in schedulers}
    for group, start in zip(groups, starts):
        group.update(start, **{name: start[f'initial_{name}'] for name in names})
    keys = [repr(sorted((name, value) for name, value in group.items() if name != 'params')) for group in groups]
    firsts = [keys.index(key) for key in dict.fromkeys(keys)]
    led = SimpleNamespace(param_groups=[dict(groups[i]) for i in firsts], _global_step=1,
                          step=SimpleNamespace(_with_counter=True))
    for scheduler in schedulers:
        scheduler.base_values = [groups[i][f'initial_{scheduler.param_name}'] for i in firsts]
        scheduler.optimizer, scheduler.last_step, scheduler._global_step = led, -1, -1
        scheduler.step()
    for iteration in range(1, iterations + 1):
        for scheduler in schedulers:
            if not scheduler.by_epoch or (epoch_length and iteration % epoch_length == 0):
                scheduler.step()
    for key, group in zip(keys, groups):
        values = led.param_groups[[keys[i] for i in firsts].index(key)]
        group.update({name: value for name, value in values.items() if name != 'params'})
    for scheduler in schedulers:
        scheduler.optimizer = optimizer
        scheduler.base_values = [group[f'initial_{scheduler.param_name}'] for group in groups]
        scheduler._last_value = [group[scheduler.param_name] for group in groups]
