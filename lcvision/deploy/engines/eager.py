"""PyTorch as it is: operators called one by one, norms folded, the quicker memory layout."""
import time
from functools import partial

import numpy as np
import torch
from torch import nn

from lcvision.deploy.engines.engine import Engine, Prepared, first_ms, register_engine
from lcvision.deploy.network import example_input
from lcvision.deploy.precision import deployed_network
from lcvision.timing.rounds import sample

_LAYOUTS = {'nchw': torch.contiguous_format, 'channels_last': torch.channels_last}
_SMALL, _SMALLER = (128, 128), (64, 64)
_PROBES, _PROBE_SECONDS = 5, 2.


@register_engine
class EagerEngine(Engine):
    """torch's own operators (oneDNN convolutions) on the fused network, in NCHW or channels_last: both are tried."""

    name = 'eager'
    title = 'PyTorch eager'
    precisions = ('fp32', 'bf16')
    traced = 'operators'
    marker = 'o'

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Fuses the network and keeps the layout with the smaller median of a few interleaved runs."""
        candidates = [_prepare(network, example, precision, layout) for layout in _LAYOUTS]
        times: list[list[float]] = [[] for _ in candidates]
        deadline = time.monotonic() + _PROBE_SECONDS
        while len(times[0]) < _PROBES * 4 and (len(times[0]) < _PROBES or time.monotonic() < deadline):
            for candidate, taken in zip(candidates, times, strict=True):
                candidate.run(candidate.example)
                taken.extend(sample(partial(candidate.run, candidate.example), _PROBES))
        return candidates[int(np.argmin([np.median(taken) for taken in times]))]


def _prepare(network: nn.Module, example: torch.Tensor, precision: str, layout: str) -> Prepared:
    memory_format = _LAYOUTS[layout]
    deployed = deployed_network(network, _other_input(network, example), precision)
    deployed = deployed.to(memory_format=memory_format)  # type: ignore[call-overload]
    x = example.contiguous(memory_format=memory_format)
    return Prepared(deployed, x, first_ms(deployed, x), layout=layout)


def _other_input(network: nn.Module, example: torch.Tensor) -> torch.Tensor:
    """An input to fuse with; of another size, so that the first inference finds no kernel that was made for it."""
    other = example_input(_SMALL if tuple(example.shape[-2:]) != _SMALL else _SMALLER)
    try:
        network(other)
    except Exception:  # it runs at its own size alone
        return example
    return other
