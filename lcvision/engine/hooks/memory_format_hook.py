"""Chooses the layout of activations on a CPU."""
import copy
import time

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from lcvision.deploy.network import flatten, to_channels_last, unwrapped
from lcvision.registry import HOOKS

_CHOICES = ('auto', 'channels_last', 'contiguous')
# Short, since only the sign of the difference counts, and on the CPUs seen that is clear.
_BATCH, _SIZE, _ROUNDS = 2, 320, 3


@HOOKS.register_module()
class MemoryFormatHook(Hook):
    """Runs training and evaluation in channels_last where that is faster.

    The first map decides the layout of all that follow, so the backbone's input is converted and nothing else;
    parameters and checkpoints keep their layout.

    Args:
        memory_format: 'auto' measures one forward and backward pass in both layouts, interleaved, on a copy of the
            network, and keeps the faster, also in a run that is resumed; 'channels_last' and 'contiguous' say which.

    Attributes:
        chosen: The layout and why, once a run has started on a CPU.
    """

    priority = 'VERY_HIGH'

    def __init__(self, memory_format: str = 'auto'):
        if memory_format not in _CHOICES:
            raise ValueError(f'MemoryFormatHook: memory_format={memory_format!r} must be one of {", ".join(_CHOICES)}')
        self.memory_format, self.chosen, self._done = memory_format, '', False

    def before_train(self, runner: Runner) -> None:
        model = unwrapped(runner.model)
        if self._done or next(model.parameters()).device.type != 'cpu':
            return
        self._done = True
        chosen, reason = self.memory_format, 'as asked'
        if chosen == 'auto' and (before := runner.message_hub.get_info('memory_format')):
            chosen, reason = before, 'as before'
        elif chosen == 'auto':
            ratio = channels_last_ratio(model)
            chosen = 'channels_last' if ratio < 1 else 'contiguous'
            reason = f'a step takes {ratio:.2f} of the time in channels_last'
            runner.message_hub.update_info('memory_format', chosen)
        self.chosen = f'{chosen} ({reason})'
        runner.logger.info(f'memory format: {self.chosen}')
        if chosen == 'channels_last':
            model.backbone.register_forward_pre_hook(to_channels_last)

    before_val = before_test = before_train


def channels_last_ratio(model: nn.Module) -> float:
    """Time of a forward and backward pass in channels_last over that in the contiguous layout, on a copy."""
    copied = copy.deepcopy(model).train()
    image = torch.rand(_BATCH, 3, _SIZE, _SIZE, device=next(model.parameters()).device)
    layouts = (image.contiguous(memory_format=torch.channels_last), image)
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for inputs, times in zip(layouts, seconds):
            start = time.perf_counter()
            torch.stack([m.float().mean() for m in flatten(_outputs(copied, inputs))]).sum().backward()
            times.append(time.perf_counter() - start)
    return min(seconds[0][1:]) / min(seconds[1][1:])


def _outputs(model: nn.Module, x: torch.Tensor) -> object:
    # The heads of two-stage detectors and of transformers need more than an image; backbone and neck then count.
    try:
        return model(x, mode='tensor')
    except (AssertionError, AttributeError, TypeError):
        return model.extract_feat(x)  # type: ignore[operator]
