"""Goes on in the data where a run stopped, without reading what comes before."""
import copy
from collections.abc import Iterator, Sequence

from mmengine.registry import DATA_SAMPLERS
from mmengine.runner import Runner
from mmengine.runner.loops import _InfiniteDataloaderIterator
from torch.utils.data import BatchSampler, DataLoader


class _Rest:
    """A batch sampler whose first pass begins later.

    Args:
        batches: The batch sampler.
        rest: What is left of its first pass.
    """

    def __init__(self, batches: BatchSampler, rest: Iterator[list[int]]) -> None:
        self._batches = batches
        self._rest: Iterator[list[int]] | None = rest

    def __iter__(self) -> Iterator[list[int]]:
        # Runs at the first batch: a loader with workers begins twice.
        rest, self._rest = self._rest, None
        yield from self._batches if rest is None else rest

    def __len__(self) -> int:
        return len(self._batches)


class _Advanced(_InfiniteDataloaderIterator):
    """Batches of a run that is resumed; the first ``skip`` are not loaded."""

    def __init__(self, loader: DataLoader, epoch: int, skip: int) -> None:
        super().__init__(loader)
        self._epoch, self._skip = epoch, skip

    def __next__(self) -> Sequence[dict]:
        if self._skip:
            self._skip -= 1
            return []
        return super().__next__()


def skip_batches(runner: Runner, count: int) -> None:
    """Lets a loop that counts iterations skip its first batches by their indices alone.

    The sampler is built anew, with the seed of the run that is resumed: mmengine builds it before it knows that seed.

    Args:
        runner: Its train loop is about to run, and to take ``count`` batches off its iterator.
        count: Batches seen so far.
    """
    loop, settings = runner.train_loop, runner.cfg.get('train_dataloader')
    if not isinstance(settings, dict) or not isinstance(settings.get('sampler'), dict):
        return
    loader = copy.copy(loop.dataloader)
    seed = None if runner._randomness_cfg.get('diff_rank_seed') else runner.seed
    sampler = DATA_SAMPLERS.build(settings['sampler'], default_args=dict(dataset=loader.dataset, seed=seed))
    if settings.get('batch_sampler'):
        batches = DATA_SAMPLERS.build(settings['batch_sampler'],
                                      default_args=dict(sampler=sampler, batch_size=settings['batch_size']))
    else:
        batches = BatchSampler(sampler, loader.batch_size, loader.drop_last)
    epoch, rest = 0, iter(batches)
    for _ in range(count):
        if next(rest, None) is None:
            epoch += 1
            if hasattr(sampler, 'set_epoch'):
                sampler.set_epoch(epoch)
            rest = iter(batches)
            next(rest)
    # A loader refuses another sampler once it is made; workers of the old one end with it.
    vars(loader).update(sampler=sampler, batch_sampler=_Rest(batches, rest), _iterator=None)
    loop.dataloader, loop.dataloader_iterator = loader, _Advanced(loader, epoch, count)
