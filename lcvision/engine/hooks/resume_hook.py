"""Lets a resumed run go on as its config says."""
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from lcvision.engine.data_position import skip_batches
from lcvision.engine.schedule_replay import replay, same_plan, start_values
from lcvision.errors import UserError
from lcvision.registry import HOOKS


@HOOKS.register_module()
class ResumeHook(Hook):
    """Mends two things in how mmengine resumes.

    Schedulers whose settings are no longer those of the checkpoint, as after ``--epochs``, go on as if the run had had
    the new ones from the start. A run that counts iterations skips the batches that it has seen by their indices.

    Raises:
        UserError: The schedule has changed and part of it follows a metric, whose course is not known any more.

    Differs:
        mmengine restores the settings of all schedulers from the checkpoint, so that a run that is extended stays at
        its last rate, and loads every batch that was seen.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._states: list | dict | None = None
        self._starts: list[list[dict[str, float]]] = []

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Takes the schedulers' states, which mmengine would restore."""
        if runner._resume and runner.param_schedulers:
            self._states = checkpoint.pop('param_schedulers', None)
            self._starts = [start_values(optimizer) for optimizer, _ in _parts(runner)]

    def before_train(self, runner: Runner) -> None:
        """Restores the schedulers and skips batches."""
        if self._states is not None:
            self._restore(runner, self._states)
            self._states = None
        loop = runner.train_loop
        by_iteration = isinstance(loop, IterBasedTrainLoop)
        done, length, unit = ((loop.iter, loop.max_iters, 'iterations') if by_iteration else
                              (loop.epoch, loop.max_epochs, 'epochs'))
        if done >= length:
            runner.logger.warning(f'The run has its {length} {unit} already ({done}): nothing is trained.')
        elif by_iteration and done:
            skip_batches(runner, done)

    def _restore(self, runner: Runner, states: list | dict) -> None:
        parts = _parts(runner)
        saved = [states] if isinstance(states, list) else list(states.values())
        planned = [schedulers for _, schedulers in parts]
        if list(map(len, planned)) == list(map(len, saved)):
            pairs = [pair for one, other in zip(planned, saved) for pair in zip(one, other)]
            if all(same_plan(scheduler, state) for scheduler, state in pairs):
                for scheduler, state in pairs:
                    scheduler.load_state_dict(state)
                return
        loop = runner.train_loop
        epoch_length = None if isinstance(loop, IterBasedTrainLoop) else len(loop.dataloader)
        done = loop.epoch * epoch_length if epoch_length else loop.iter
        for (optimizer, schedulers), starts in zip(parts, self._starts):
            if any(getattr(scheduler, 'need_val_args', False) for scheduler in schedulers):
                raise UserError('--resume with another schedule: ReduceOnPlateau follows a metric, whose course is not '
                                'in the checkpoint; resume with the schedule of the run, or begin a new one with '
                                '--load-from')
            replay(schedulers, optimizer, starts, done, epoch_length)
        rates = ', '.join(dict.fromkeys(f'{rates[-1]:.3g}' for rates in runner.optim_wrapper.get_lr().values()))
        runner.logger.info('The schedule is not that of the checkpoint: it goes on after iteration '
                           f'{done} as if it had been so from the start, at a rate of {rates}.')


def _parts(runner: Runner) -> list[tuple]:
    """Each optimiser with its schedulers."""
    named = runner.param_schedulers
    if isinstance(named, list):
        return [(runner.optim_wrapper, named)]
    return [(runner.optim_wrapper[name], schedulers) for name, schedulers in named.items()]
