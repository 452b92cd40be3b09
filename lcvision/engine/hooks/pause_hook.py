"""Ends a training before its schedule."""
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from lcvision.registry import HOOKS


@HOOKS.register_module()
class PauseHook(Hook):
    """Stops a training that counts epochs after one of them, validated if it is that one's turn.

    The schedule stays that of the whole training, so that a run resumed from there goes on as if it had not paused.

    Args:
        epoch: The last epoch of this run, from 1.
    """

    def __init__(self, epoch: int):
        self.epoch = epoch

    def after_train_epoch(self, runner: Runner) -> None:
        if isinstance(runner.train_loop, EpochBasedTrainLoop) and runner.epoch + 1 >= self.epoch:
            runner.train_loop.stop_training = True
