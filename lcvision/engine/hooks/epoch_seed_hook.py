"""Makes the random numbers of an epoch independent of what ran before it, and ends a training before its schedule."""
import random
from functools import partial

import numpy as np
import torch
from mmengine.dataset import worker_init_fn
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from lcvision.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Draws the random numbers of every epoch from the run's seed and the number of the epoch.

    A training that pauses between two epochs, or is killed and repeats one, gives the same weights as one that does
    not. Workers that load images start anew with each epoch.

    Differs: mmengine does not save the state of random numbers, and after resuming repeats those of the first epochs.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        loop = runner.train_loop
        if not isinstance(loop, EpochBasedTrainLoop):
            return
        rank, loader = get_rank(), loop.dataloader
        seed = int(np.random.SeedSequence((runner.seed, runner.epoch, rank)).generate_state(1)[0] // 2)
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        loader.worker_init_fn = partial(worker_init_fn, num_workers=loader.num_workers, rank=0, seed=seed)
        loader._iterator = None  # those of the epoch before


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
