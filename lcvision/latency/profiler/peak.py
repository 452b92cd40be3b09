"""What one core of this CPU can compute."""
import functools
import time

import torch

from lcvision.timing.rounds import quietly

_SIZES = (512, 1024)
_RUNS = 60
_SECONDS = 1.
_DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16}


@functools.cache
def peak_gflops(precision: str = 'fp32') -> float:
    """GFLOP/s of one core in a large square matrix product, the best of many runs of two sizes.

    The best and not the median: other processes and a clock that is still rising only ever take away.

    Args:
        precision: 'fp32' or 'bf16'.
    """
    dtype = _DTYPES[precision]

    def best(size: int) -> float:
        a, b, out = (torch.ones((size, size), dtype=dtype) for _ in range(3))
        quickest, deadline = float('inf'), time.monotonic() + _SECONDS
        for turn in range(_RUNS):
            start = time.perf_counter_ns()
            torch.mm(a, b, out=out)
            if turn:
                quickest = min(quickest, time.perf_counter_ns() - start)
            if turn > 2 and time.monotonic() > deadline:
                break
        return 2 * size ** 3 / max(quickest, 1)

    return quietly(lambda: max(best(size) for size in _SIZES), 1)
