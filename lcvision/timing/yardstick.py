"""Fixed work timed beside every block of samples: it tells whether the machine or the network changed its speed."""
import mmap
from itertools import cycle

import numpy as np
import torch
from torch import nn

from lcvision import environment
from lcvision.timing.rounds import Series, sample
from lcvision.timing.statistics import summarize

KINDS = ('compute', 'memory', 'network')
# Three float32 matrices of this side fit a second-level cache of 512 KiB.
_SIDE, _PRODUCTS = 192, 4
_MIN_STREAM, _PIECE = 128 << 20, 2 << 20
# Channels and side of the maps of four depthwise-separable layers, as light networks have them.
_LAYERS = ((32, 56), (64, 28), (128, 14), (256, 7))
_SAMPLES = (9, 64, 7)
_MAX_MOVE = (0.1, 0.2, 0.2)


class Yardstick:
    """Matrix products that fit a core's cache, a copy that fits none, and layers as light networks have them.

    All run on torch's threads as they are set, so that no other pool of threads wakes up. A sample takes a millisecond
    or less: the medians follow clock, caches and memory, not the scheduler. What a neighbour takes of a shared cache
    slows neither of the first two; it slows a network, and so the third.
    """

    def __init__(self) -> None:
        self._left, self._right, self._product = (torch.full((_SIDE, _SIDE), 0.5) for _ in range(3))
        # Half of the bytes are read, half are written.
        half = max(_MIN_STREAM, 2 * environment.largest_cache()) // 2
        self._pieces = cycle(zip(*(_mapped_ones(half // 4).split(_PIECE // 4) for _ in range(2)), strict=True))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self._layers = [(nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, groups=width), nn.Hardswish(),
                                           nn.Conv2d(width, 2 * width, 1), nn.Hardswish()).eval(),
                             torch.randn(1, width, side, side)) for width, side in _LAYERS]
        self.work = (f'{_PRODUCTS} float32 products of {_SIDE}x{_SIDE}', f'{_PIECE >> 20} of {half >> 20} MiB copied',
                     f'{len(_LAYERS)} depthwise-separable layers in eager torch')

    def __call__(self) -> tuple[float, ...]:
        """Milliseconds that the three take now, medians of a few runs."""
        found = []
        for run, count in zip((self._multiply, self._copy, self._infer), _SAMPLES, strict=True):
            run()
            found.append(float(np.median(sample(run, count))))
        return tuple(found)

    def _multiply(self) -> None:
        for _ in range(_PRODUCTS):
            torch.mm(self._left, self._right, out=self._product)

    def _copy(self) -> None:
        source, target = next(self._pieces)
        target.copy_(source)

    @torch.inference_mode()
    def _infer(self) -> None:
        for layer, maps in self._layers:
            layer(maps)

    def record(self, series: Series) -> dict:
        """The ``yardstick`` object of the record of a series that was measured with this yardstick, by kind.

        It has ``work``, what is done; ``ms``, its median time beside the series' blocks; ``ratio``, the median of the
        samples, each divided by the yardstick's time around its block; and ``ci95``, the interval of that.
        """
        found = {}
        for place, (kind, work) in enumerate(zip(KINDS, self.work, strict=True)):
            ms = {turn: reading[place] for turn, reading in series.yardstick.items()}
            summary = summarize([block / ms[turn] for turn, block in series.blocks.items()])
            found[kind] = {'work': work, 'ms': round(float(np.median([*ms.values()])), 5),
                           'ratio': round(summary.median, 6), 'ci95': [round(x, 6) for x in summary.ci95]}
        return found


def yardstick_moves(series: Series) -> list[str]:
    """Clauses that say how much the machine's speed changed while a series was measured; none where it did not."""
    low, high = np.percentile(series.readings, (10, 90), axis=0, method='nearest')
    return [f'the {kind} yardstick moved by {move:.0%} while rows were measured'
            for kind, move, limit in zip(KINDS, high / low - 1, _MAX_MOVE, strict=True) if move > limit]


def _mapped_ones(count: int) -> torch.Tensor:
    """Ones in pages that go back to the system: in a heap that keeps freed memory, the gap is soon a bit too small."""
    return torch.frombuffer(mmap.mmap(-1, 4 * count, mmap.MAP_PRIVATE), dtype=torch.float32).fill_(1)
