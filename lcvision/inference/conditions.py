"""The state of the process in which images are predicted."""
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import torch

from lcvision.allocator import keep_freed_memory

# Their product is a subnormal number.
_SUBNORMAL = np.float32(1e-38), np.float32(0.01)


@contextmanager
def predicting(threads: int) -> Iterator[None]:
    """Inference mode, so many threads for torch and cv2, subnormal numbers flushed; the caller's state afterwards.

    Args:
        threads: At least 1.
    """
    keep_freed_memory()
    before, cv2_before = torch.get_num_threads(), cv2.getNumThreads()
    flushing = bool(_SUBNORMAL[0] * _SUBNORMAL[1] == 0)
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    torch.set_flush_denormal(True)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_flush_denormal(flushing)
        cv2.setNumThreads(cv2_before)
        torch.set_num_threads(before)
