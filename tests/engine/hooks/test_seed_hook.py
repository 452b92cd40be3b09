"""Random numbers of an epoch, in this process and in workers, wherever a run begins."""
import random

import numpy as np
import torch
from mmengine.runner import EpochBasedTrainLoop
from torch.utils.data import DataLoader, Dataset

from lcvision.engine.hooks.seed_hook import SeedHook


class Draws(Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return torch.tensor([index, random.random(), np.random.rand(), float(torch.rand(1))], dtype=torch.float64)


def collate(samples):
    return torch.stack([*samples, torch.full((4,), np.random.rand(), dtype=torch.float64)])


def loop_at(epoch, loader, seed=0, iteration=0):
    """What a hook sees of a runner."""
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    loop.dataloader, loop._epoch, loop._iter = loader, epoch, iteration
    return type('Runner', (), dict(train_loop=loop, epoch=epoch, seed=seed, iter=iteration))()


def drawn(epochs, workers, seed=0, batch_size=2):
    """For each epoch all rows, a batch's own number after its samples."""
    loader = DataLoader(Draws(), batch_size, num_workers=workers, persistent_workers=workers > 0, collate_fn=collate)
    hook, found = SeedHook(), []
    hook.before_train(loop_at(epochs[0], loader, seed))
    for epoch in epochs:
        hook.before_train_epoch(loop_at(epoch, loader, seed))
        found.append(torch.cat(list(loader)))
    return found


def test_an_epoch_draws_the_same_wherever_the_run_begins_and_whoever_loads():
    straight = drawn([0, 1, 2], 0)
    for workers in (0, 1, 3):
        assert torch.equal(straight[2], drawn([2], workers)[0])
    assert torch.equal(torch.stack(drawn([0, 1, 2], 2)), torch.stack(straight))
    rows = torch.cat([*straight, *drawn([2], 0, seed=1)])[:, 1:]
    numbers = rows[rows[:, 0] != rows[:, 1]].flatten()  # without those of batches, which fill a row
    assert len(numbers.unique()) == len(numbers) == 4 * 5 * 3


def test_a_sample_draws_the_same_in_any_batch():
    assert torch.equal(drawn([1], 0, batch_size=1)[0][::2], drawn([1], 0, batch_size=5)[0][:5])


def test_a_step_draws_the_same_whatever_was_drawn_before():
    found = []
    for iteration in (3, 4, 3):
        SeedHook().before_train_iter(loop_at(0, None, iteration=iteration), 0)
        found.append((random.random(), np.random.rand(), float(torch.rand(1))))
        torch.rand(iteration)
    assert found[0] == found[2] and not set(found[0]) & set(found[1])
