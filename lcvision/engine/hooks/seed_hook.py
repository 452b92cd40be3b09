"""Random numbers that follow from the run's seed and the place in it, and the batches of a run that goes on."""
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import DATA_SAMPLERS
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmengine.runner.loops import _InfiniteDataloaderIterator
from torch.utils.data import BatchSampler, DataLoader

from lcvision.registry import HOOKS

# What draws: a sample while it is loaded, a collate function, a step.
_SAMPLE, _BATCH, _STEP = range(3)


@HOOKS.register_module()
class SeedHook(Hook):
    """Makes a training that is interrupted anywhere and resumed equal, bit for bit, to one that is not.

    The random numbers of a sample follow from seed, epoch and index, those of the collate function from seed, epoch and
    number of the batch, those of a step from seed and iteration; so their state need not be saved, and any number of
    workers gives the same samples. Where the run counts iterations, the number of the batch stands for the epoch. A
    resumed run skips the batches that it has seen by their indices, also in the middle of an epoch.

    Not covered: steps of a pipeline that keep something from sample to sample, or have generators of their own.

    Differs: mmengine seeds the start of a process and of its workers, resumes at the start of an epoch, and loads all
        batches that a run which counts iterations has seen.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._batches: _Batches | None = None
        self._resumed, self._epoch_length = False, 0

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            checkpoint['meta']['epoch_length'] = len(runner.train_loop.dataloader)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self._resumed = runner._resume
        self._epoch_length = checkpoint.get('meta', {}).get('epoch_length', 0)

    def before_train(self, runner: Runner) -> None:
        loop = runner.train_loop
        loader, counts = loop.dataloader, isinstance(loop, IterBasedTrainLoop)
        if loader.batch_sampler is None or not (counts or isinstance(loop, EpochBasedTrainLoop)):
            return
        if counts or self._resumed:
            _renew_sampler(runner, loader)
        done = loop.iter if counts else batches_done(loop, self._epoch_length)
        self._batches = _Batches(getattr(loader.batch_sampler, 'batches', loader.batch_sampler), runner.seed, done,
                                 None if counts else loop.epoch)
        # A loader refuses another sampler once it is made; workers of the old one end with it.
        vars(loader).update(batch_sampler=self._batches, _iterator=None)
        if counts:
            # The loop takes as many as were seen, and does nothing with them.
            loop.dataloader_iterator = chain(repeat([], done), _InfiniteDataloaderIterator(loader))
        elif done:
            run_iter = loop.run_iter
            loop.run_iter = lambda number, batch: run_iter(number + done, batch)

    def before_train_epoch(self, runner: Runner) -> None:
        if self._batches and self._batches.epoch is not None:
            self._batches.epoch = runner.epoch

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        _seed(runner.seed, _STEP, runner.iter, get_rank())

    def after_train_epoch(self, runner: Runner) -> None:
        vars(runner.train_loop).pop('run_iter', None)


def batches_done(loop: EpochBasedTrainLoop, epoch_length: int) -> int:
    """Batches of its epoch that a resumed run has behind it, of as many as an epoch had; 0 if their number changed."""
    done = loop.iter - loop.epoch * epoch_length
    return done if len(loop.dataloader) == epoch_length and 0 < done <= epoch_length else 0


@dataclass
class _Batch:
    """Indices that seed the process in which a data loader goes through them, also for the collate function."""

    indices: Sequence[Any]
    seed: int
    turn: int
    number: int
    rank: int

    def __iter__(self) -> Iterator[Any]:
        for index in self.indices:
            _seed(self.seed, _SAMPLE, self.turn, *np.ravel(index).tolist())
            yield index
        _seed(self.seed, _BATCH, self.turn, self.number, self.rank)

    def __len__(self) -> int:
        return len(self.indices)


class _Batches:
    """A batch sampler whose batches seed, and whose first pass leaves out those that are done.

    Args:
        batches: The batch sampler.
        seed: Of the run.
        done: Batches to leave out.
        epoch: Of the next pass; None for a single pass that never ends.
    """

    def __init__(self, batches: BatchSampler, seed: int, done: int, epoch: int | None):
        self.batches, self.sampler = batches, batches.sampler
        self.seed, self.done, self.epoch = seed, done, epoch

    def __iter__(self) -> Iterator[_Batch]:
        # Runs at the first batch: a loader with workers begins twice.
        done, self.done = self.done, 0
        batches = self._endless() if self.epoch is None else self.batches
        for number, indices in islice(enumerate(batches), done, None):
            yield _Batch(indices, self.seed, number if self.epoch is None else self.epoch, number, get_rank())

    def __len__(self) -> int:
        return len(self.batches)

    def _endless(self) -> Iterator[Sequence[Any]]:
        epoch = 0
        while not epoch or len(self.batches):
            if hasattr(self.sampler, 'set_epoch'):
                self.sampler.set_epoch(epoch)
            yield from self.batches
            epoch += 1


def _renew_sampler(runner: Runner, loader: DataLoader) -> None:
    """Builds the sampler again, with the seed of the resumed run, and at its start.

    mmengine builds it before it knows that seed, and a loop that counts iterations may have taken batches from it.
    """
    settings = runner.cfg.get('train_dataloader')
    if not isinstance(settings, dict) or not isinstance(settings.get('sampler'), dict):
        return
    seed = None if runner._randomness_cfg.get('diff_rank_seed') else runner.seed
    sampler = DATA_SAMPLERS.build(settings['sampler'], default_args=dict(dataset=loader.dataset, seed=seed))
    if settings.get('batch_sampler'):
        batches = DATA_SAMPLERS.build(settings['batch_sampler'],
                                      default_args=dict(sampler=sampler, batch_size=settings['batch_size']))
    else:
        batches = BatchSampler(sampler, loader.batch_size or 1, loader.drop_last)
        vars(loader).update(sampler=sampler)
    vars(loader).update(batch_sampler=batches)


def _seed(*place: int) -> None:
    """Seeds what draws in this process, from the whole numbers that say where the run is."""
    first, second, third = np.random.SeedSequence(place).generate_state(3).tolist()
    random.seed(first)
    np.random.seed(second)
    if torch.cuda.is_initialized():
        torch.manual_seed(third)
    else:  # otherwise the seed would be noted for GPUs, with a costly note of the place in the program
        torch.default_generator.manual_seed(third)
