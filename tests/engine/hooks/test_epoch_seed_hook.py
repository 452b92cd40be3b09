"""Random numbers of an epoch, in this process and in workers, wherever a run begins."""
import random

import numpy as np
import torch
from mmengine.runner import EpochBasedTrainLoop
from torch.utils.data import DataLoader, Dataset

from lcvision.engine.hooks.epoch_seed_hook import EpochSeedHook, PauseHook


class Draws(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return torch.tensor([index, random.random(), np.random.rand(), float(torch.rand(1))], dtype=torch.float64)


def loop_at(epoch, loader, seed=0):
    """What a hook sees of a runner."""
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    loop.dataloader, loop._epoch, loop.stop_training = loader, epoch, False
    return type('Runner', (), dict(train_loop=loop, epoch=epoch, seed=seed))()


def drawn(epochs, workers, seed=0):
    loader, found = DataLoader(Draws(), num_workers=workers, persistent_workers=workers > 0), []
    for epoch in epochs:
        EpochSeedHook().before_train_epoch(loop_at(epoch, loader, seed))
        found.append(torch.cat(list(loader)))
    return found


def test_an_epoch_draws_the_same_wherever_the_run_begins():
    for workers in (0, 2):
        straight, resumed = drawn([0, 1, 2], workers), drawn([2], workers)
        assert torch.equal(straight[2], resumed[0])
        assert not torch.isin(straight[0][:, 1:].clone(), straight[1][:, 1:].clone()).any()
        assert not torch.isin(resumed[0][:, 1:].clone(), drawn([2], workers, seed=1)[0][:, 1:].clone()).any()


def test_a_run_pauses_after_its_epoch():
    hook, stopped = PauseHook(3), []
    for epoch in range(4):
        runner = loop_at(epoch, None)
        hook.after_train_epoch(runner)
        stopped.append(runner.train_loop.stop_training)
    assert stopped == [False, False, True, True]
