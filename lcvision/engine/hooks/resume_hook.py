"""Lets a resumed run continue as its config says."""
from types import SimpleNamespace

from mmengine.hooks import Hook
from mmengine.optim import BaseOptimWrapper, _ParamScheduler
from mmengine.runner import BaseLoop, IterBasedTrainLoop, Runner
from torch.optim import Optimizer

from lcvision.engine.hooks.seed_hook import batches_done
from lcvision.errors import UserError
from lcvision.registry import HOOKS

# What a scheduler's state says about its position; the rest is its plan.
_POSITION = {'last_step', '_global_step', '_last_value', 'base_values', 'optimizer', 'verbose', 'best',
             'num_bad_epochs', 'cooldown_counter', 'anneal_func'}


@HOOKS.register_module()
class ResumeHook(Hook):
    """Mends two things in how mmengine resumes.

    Schedulers whose settings are no longer those of the checkpoint, as after ``--epochs``, continue as if the run had
    had the new ones from the start. A validation that was due at the checkpoint, and that the run did not live to
    complete, comes first.

    Raises:
        UserError: The schedule has changed and part of it follows a metric, whose course is not known any more.

    Differs: mmengine restores the settings of all schedulers from the checkpoint, so that a run that is extended stays
        at its last rate, and leaves out the validation.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._states: list | dict | None = None
        self._starts: list[list[dict[str, float]]] = []
        self._epoch_length, self._due = 0, False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Takes the schedulers' states, which mmengine would restore."""
        self._epoch_length = checkpoint.get('meta', {}).get('epoch_length', 0)
        if runner._resume and runner.param_schedulers:
            self._states = checkpoint.pop('param_schedulers', None)
            # What the schedulers, just built, noted in each group: where they start and between which ends.
            noted = 'initial_', 'max_', 'min_'
            self._starts = [[{name: value for name, value in group.items() if name.startswith(noted)}
                             for group in optimizer.param_groups] for optimizer, _ in _parts(runner)]

    def before_train(self, runner: Runner) -> None:
        if self._states is not None:
            self._restore(runner, self._states)
            self._states = None
        loop = runner.train_loop
        done, length, unit = ((loop.iter, loop.max_iters, 'iterations') if isinstance(loop, IterBasedTrainLoop) else
                              (loop.epoch, loop.max_epochs, 'epochs'))
        self._due = _validates(runner, done, length) and runner.message_hub.get_info('validated') != done
        if done >= length:
            rest = ', but it is validated, which it was not yet' if self._due else ''
            runner.logger.warning(f'The run has its {length} {unit} already ({done}): nothing is trained{rest}.')

    def before_train_epoch(self, runner: Runner) -> None:
        self._validate(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Notes the validation for the checkpoint that follows it."""
        if isinstance(loop := runner._train_loop, BaseLoop):
            done = loop.iter if isinstance(loop, IterBasedTrainLoop) else loop.epoch
            runner.message_hub.update_info('validated', done)

    def after_train(self, runner: Runner) -> None:
        self._validate(runner)

    def _validate(self, runner: Runner) -> None:
        if self._due:
            self._due = False
            runner.val_loop.run()

    def _restore(self, runner: Runner, states: list | dict) -> None:
        parts = _parts(runner)
        saved = [states] if isinstance(states, list) else list(states.values())
        planned = [schedulers for _, schedulers in parts]
        if list(map(len, planned)) == list(map(len, saved)):
            pairs = [pair for one, other in zip(planned, saved) for pair in zip(one, other)]
            if all(_plan(vars(scheduler)) == _plan(state) for scheduler, state in pairs):
                for scheduler, state in pairs:
                    scheduler.load_state_dict(state)
                return
        loop = runner.train_loop
        epoch_length = None if isinstance(loop, IterBasedTrainLoop) else len(loop.dataloader)
        done = loop.epoch * epoch_length + batches_done(loop, self._epoch_length) if epoch_length else loop.iter
        for (optimizer, schedulers), starts in zip(parts, self._starts):
            if any(getattr(scheduler, 'need_val_args', False) for scheduler in schedulers):
                raise UserError('--resume with another schedule: ReduceOnPlateau follows a metric, whose course is not '
                                'in the checkpoint; resume with the schedule of the run, or start a new one with '
                                '--load-from')
            _replay(schedulers, optimizer, starts, done, epoch_length)
        rates = ', '.join(dict.fromkeys(f'{rates[-1]:.3g}' for rates in runner.optim_wrapper.get_lr().values()))
        runner.logger.info(f'The schedule is not that of the checkpoint: it continues after iteration {done} as if it '
                           f'had been so from the start, at a rate of {rates}.')


def _validates(runner: Runner, done: int, length: int) -> bool:
    """Whether a run validates after so many of its epochs or iterations."""
    loop = runner.train_loop
    if not done or runner.val_loop is None or not hasattr(loop, '_decide_current_val_interval'):
        return False
    loop._decide_current_val_interval()
    return done >= loop.val_begin and (done % loop.val_interval == 0 or done == length)


def _parts(runner: Runner) -> list[tuple]:
    """Each optimiser with its schedulers."""
    named = runner.param_schedulers
    if isinstance(named, list):
        return [(runner.optim_wrapper, named)]
    return [(runner.optim_wrapper[name], schedulers) for name, schedulers in named.items()]


def _plan(state: dict) -> dict:
    """The settings in a scheduler's state."""
    return {name: value for name, value in state.items() if name not in _POSITION}


def _replay(schedulers: list[_ParamScheduler], optimizer: Optimizer | BaseOptimWrapper,
            starts: list[dict[str, float]], iterations: int, epoch_length: int | None) -> None:
    """Gives the optimiser the values that it would have after so many iterations of these schedulers.

    mmengine's schedulers compute a value from that of the step before: there is no way but to take the steps. Groups
    of equal start values are treated as one, which keeps this below a second.
    """
    groups = optimizer.param_groups
    names = {scheduler.param_name for scheduler in schedulers}
    for group, start in zip(groups, starts):
        group.update(start, **{name: start[f'initial_{name}'] for name in names})
    keys = [repr(sorted((name, value) for name, value in group.items() if name != 'params')) for group in groups]
    firsts = [keys.index(key) for key in dict.fromkeys(keys)]
    stand_in = SimpleNamespace(param_groups=[dict(groups[i]) for i in firsts], _global_step=1,
                               step=SimpleNamespace(_with_counter=True))
    for scheduler in schedulers:
        scheduler.base_values = [groups[i][f'initial_{scheduler.param_name}'] for i in firsts]
        scheduler.optimizer, scheduler.last_step, scheduler._global_step = stand_in, -1, -1
        scheduler.step()
    for iteration in range(1, iterations + 1):
        for scheduler in schedulers:
            if not scheduler.by_epoch or (epoch_length and iteration % epoch_length == 0):
                scheduler.step()
    for key, group in zip(keys, groups):
        values = stand_in.param_groups[[keys[i] for i in firsts].index(key)]
        group.update({name: value for name, value in values.items() if name != 'params'})
    for scheduler in schedulers:
        scheduler.optimizer = optimizer
        scheduler.base_values = [group[f'initial_{scheduler.param_name}'] for group in groups]
        scheduler._last_value = [group[scheduler.param_name] for group in groups]
