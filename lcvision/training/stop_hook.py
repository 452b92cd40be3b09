"""Ctrl-C and SIGTERM during a training."""
import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

import torch
from mmengine.dist import all_reduce, barrier, is_main_process
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from lcvision.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook
from lcvision.errors import Stopped, UserError

_SAME_S = 0.5  # within which two Ctrl-C are one
_AGAIN = b'\nsaving after this step; Ctrl-C again ends at once\n'


class StopHook(Hook):
    """Ends a training on Ctrl-C or SIGTERM after the step that runs, with a checkpoint to go on from.

    It is a context, within which the signals are caught: before the first step they raise ``Stopped`` at once, as does
    a second Ctrl-C, later between two steps of the training or of a validation. Threads other than the main one and
    signals that are ignored are left as they are; the processes that load images go on.
    """

    # After everything else that a step changes.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._number, self._training, self._pid = 0, False, os.getpid()
        self._since, self._before = 0., dict[int, Any]()
        self._resting: Runner | None = None  # between two steps, with nothing amid a change

    def __enter__(self) -> 'StopHook':
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        # What a library made of the exception that was raised in it, or a loader of its workers' end.
        if self._number and isinstance(error, Exception) and not (self._training and isinstance(error, UserError)):
            if self._resting:
                self._stop(self._resting, self._resting.iter)
            raise self._stopped() from None

    def before_train(self, runner: Runner) -> None:
        self._training = True

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self._resting = None

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        asked = torch.tensor(float(self._number))
        all_reduce(asked, 'max')
        # A checkpoint has no gradients that are still being summed up.
        self._resting = runner if getattr(runner.optim_wrapper, 'should_update', lambda: True)() else None
        if asked and self._resting:
            self._number = int(asked)
            self._stop(runner, runner.iter + 1, wait=True)

    def before_val_epoch(self, runner: Runner) -> None:
        self._resting = None

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if self._number and self._training:
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):
                    hook._swap_ema_parameters()  # the average stands in for the weights
            self._stop(runner, runner.iter)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if self._number and self._training:
            self._stop(runner, runner.iter)
        self._resting = runner if self._training else None

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:
            return
        first, self._number = not self._number, self._number or number
        # A launcher that gets Ctrl-C itself passes it on at once, and sends SIGTERM later.
        again = number == signal.SIGINT and not first and time.monotonic() - self._since > _SAME_S
        if not self._training or again:
            raise self._stopped()
        if first:
            self._since = time.monotonic()
            # The error for workers that the same signal ends would come amid a step, or as the process ends.
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if number == signal.SIGINT and is_main_process():
                os.write(2, _AGAIN)  # print is not safe here

    def _stop(self, runner: Runner, iteration: int, wait: bool = False) -> None:
        hook = next((hook for hook in runner.hooks if isinstance(hook, AtomicCheckpointHook)), None)
        saved = hook.save_interrupted(runner, iteration) if hook else None
        if wait:
            barrier()  # a launcher ends all processes when it sees one end
        place = f'iteration {iteration}'
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            step = iteration - runner.epoch * len(runner.train_dataloader)
            place = f'step {step} of epoch {runner.epoch + 1}' if step > 0 else f'epoch {runner.epoch}'
        raise self._stopped(f'after {place}', saved)

    def _stopped(self, place: str = 'at once', saved: str | None = None) -> Stopped:
        how = 'Ctrl-C' if self._number == signal.SIGINT else 'SIGTERM'
        return Stopped(f'stopped by {how} {place}: the same command with --resume goes on from '
                       f'{saved or "the last checkpoint, if there is one"}', self._number)
