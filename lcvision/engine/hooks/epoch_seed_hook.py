"""Makes the random numbers of an epoch independent of what ran before it."""
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

    Differs:
        mmengine does not save the state of random numbers, and after resuming repeats those of the first epochs.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Seeds this process and the workers to come."""
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
