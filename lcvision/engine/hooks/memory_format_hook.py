"""Chooses how a training step computes on a CPU: the layout of activations, and the gradients that depend on it."""
import copy
import time

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from lcvision.deploy.network import flatten, to_channels_last, unwrapped
from lcvision.engine.optim import BF16OptimWrapper
from lcvision.models.layers.depthwise_gradients import split_gradients, whole_gradients
from lcvision.registry import HOOKS

FORMATS = ('contiguous', 'channels_last', 'channels_last_split')
_CHOICES = ('auto', *FORMATS)
# Short, since only the order counts, and on the CPUs seen that is clear.
_BATCH, _SIZE, _ROUNDS = 2, 320, 3


@HOOKS.register_module()
class MemoryFormatHook(Hook):
    """Runs training and evaluation in channels_last where that is faster, and splits gradients where that is.

    The first map decides the layout of all that follow, so the backbone's input is converted and nothing else;
    parameters and checkpoints keep their layout.

    Args:
        memory_format: 'contiguous', 'channels_last', or 'channels_last_split', which also computes gradients as
            :func:`~lcvision.models.layers.depthwise_gradients.split_gradients` says. 'auto' measures one forward and
            backward pass of each, interleaved, on a copy of the network, and keeps the fastest, also in a run that is
            resumed.

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
            seconds = step_seconds(model, isinstance(runner.optim_wrapper, BF16OptimWrapper))
            chosen = min(seconds, key=seconds.__getitem__)
            reason = 'forward and backward pass: ' + ', '.join(
                f'{name} {value / seconds["contiguous"]:.2f}' for name, value in seconds.items())
            runner.message_hub.update_info('memory_format', chosen)
        self.chosen = f'{chosen} ({reason})'
        runner.logger.info(f'memory format: {self.chosen}')
        if chosen != 'contiguous':
            model.backbone.register_forward_pre_hook(to_channels_last)
        if chosen == 'channels_last_split':
            split_gradients(model)

    before_val = before_test = before_train


def step_seconds(model: nn.Module, bfloat16: bool = False) -> dict[str, float]:
    """Time of a forward and backward pass in each format, on a copy."""
    copied = copy.deepcopy(model).train()
    image = torch.rand(_BATCH, 3, _SIZE, _SIZE)
    seconds: dict[str, list[float]] = {name: [] for name in FORMATS}
    for _ in range(_ROUNDS):
        for name, times in seconds.items():
            layout = torch.contiguous_format if name == 'contiguous' else torch.channels_last
            (split_gradients if name == 'channels_last_split' else whole_gradients)(copied)
            inputs = image.contiguous(memory_format=layout)
            start = time.perf_counter()
            with torch.autocast('cpu', torch.bfloat16, enabled=bfloat16):
                outputs = flatten(_outputs(copied, inputs))
            torch.stack([m.float().mean() for m in outputs]).sum().backward()
            times.append(time.perf_counter() - start)
    return {name: min(times[1:]) for name, times in seconds.items()}


def _outputs(model: nn.Module, x: torch.Tensor) -> object:
    # The heads of two-stage detectors and of transformers need more than an image; backbone and neck then count.
    try:
        return model(x, mode='tensor')
    except (AssertionError, AttributeError, TypeError):
        return model.extract_feat(x)  # type: ignore[operator]
