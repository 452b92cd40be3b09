"""Chooses how a training step computes on a CPU: the layout of activations, and the gradients that depend on it."""
import copy
import time

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn
from torch.utils.hooks import RemovableHandle

from lcvision.deploy.network import flatten, to_channels_last, unwrapped
from lcvision.engine.optim import BF16OptimWrapper
from lcvision.models.layers.step_kernels import split_gradients, whole_gradients
from lcvision.registry import HOOKS

FORMATS = ('contiguous', 'channels_last', 'channels_last_split')
_CHOICES = ('auto', *FORMATS)
# Short, since only the order counts, and on the CPUs seen that is clear.
_BATCH, _SIZE, _ROUNDS = 2, 320, 3


@HOOKS.register_module()
class MemoryFormatHook(Hook):
    """Runs training and evaluation in channels_last where that is faster, and splits gradients where that is.

    The input of each convolution is converted where it is not in that layout yet: a map takes on that of the one
    before, but one pixel has none to pass on, so that it would be lost in DeepLab's head. Parameters and checkpoints
    keep theirs.

    Args:
        memory_format: 'contiguous', 'channels_last', or 'channels_last_split', which also computes gradients as
            :func:`~lcvision.models.layers.step_kernels.split_gradients` says. 'auto' measures one forward and
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
            _convert_inputs(model)
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
            hooks = [] if name == 'contiguous' else _convert_inputs(copied)
            (split_gradients if name == 'channels_last_split' else whole_gradients)(copied)
            start = time.perf_counter()
            with torch.autocast('cpu', torch.bfloat16, enabled=bfloat16):
                outputs = flatten(_outputs(copied, image))
            torch.stack([m.float().mean() for m in outputs]).sum().backward()
            times.append(time.perf_counter() - start)
            for hook in hooks:
                hook.remove()
    return {name: min(times[1:]) for name, times in seconds.items()}


def _convert_inputs(model: nn.Module) -> list[RemovableHandle]:
    return [module.register_forward_pre_hook(to_channels_last) for module in model.modules()
            if isinstance(module, nn.Conv2d)]


def _outputs(model: nn.Module, x: torch.Tensor) -> object:
    # The heads of two-stage detectors and of transformers need more than an image; backbone and neck then count.
    try:
        return model(x, mode='tensor')
    except (AssertionError, AttributeError, TypeError):
        return model.extract_feat(x)  # type: ignore[operator]
