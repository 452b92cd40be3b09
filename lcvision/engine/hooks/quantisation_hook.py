"""Training that sees the rounding of int8, with the model as it was as its teacher."""
import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from lcvision.deploy.network import flatten, unwrapped
from lcvision.registry import HOOKS
from lcvision.tasks import task_of

# Share of a batch in the range of an activation.
_MOMENTUM = 0.1


@HOOKS.register_module()
class QuantisationHook(Hook):
    """Simulates int8 in some layers, and trains them to give the raw maps that the model gave before, without labels.

    Weights are rounded to a scale of each output channel, inputs to the running range of the batches; gradients pass
    through the rounding. Norms keep their statistics. Checkpoints are those of the plain model.

    Args:
        layers: Convolutions and linear layers, as an exported graph names them: below 'backbone', 'neck' and 'head'. A
            name of something larger stands for the last such layer in it; what is not there is left out.
    """

    def __init__(self, layers: Sequence[str]):
        self.layers = layers

    def before_train(self, runner: Runner) -> None:
        """Puts the simulation into the layers, and the distance to the teacher in the place of the loss."""
        model = unwrapped(runner.model)
        teacher = copy.deepcopy(model).eval().requires_grad_(False)
        model.loss = partial(_distance, model, teacher)
        self._changed = [layer for layer in map(partial(_find, model), self.layers) if layer is not None]
        for layer in self._changed:
            layer.forward = _Simulated(layer)  # type: ignore[method-assign]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        """Keeps norms and dropout as they are in a file."""
        runner.model.eval()

    def after_train(self, runner: Runner) -> None:
        """Takes all of it out again."""
        for part in (unwrapped(runner.model), *self._changed):
            part.__dict__.pop('loss', None)
            part.__dict__.pop('forward', None)


def _find(model: Any, name: str) -> nn.Module | None:
    part, _, rest = name.partition('.')
    top = getattr(model, task_of(model).head if part == 'head' else part, None)
    found = dict(top.named_modules()).get(rest) if isinstance(top, nn.Module) else None
    layers = [one for one in (found.modules() if found is not None else ())
              if type(one).forward in (nn.Conv2d.forward, nn.Linear.forward)]
    return layers[-1] if layers else None


def _distance(model: Any, teacher: Any, inputs: torch.Tensor, data_samples: object = None) -> dict[str, torch.Tensor]:
    """Squared error of each raw map as a share of the teacher's variance in it."""
    with torch.no_grad():
        wanted = flatten(teacher(inputs, mode='tensor'))
    found = flatten(model(inputs, mode='tensor'))
    shares = [F.mse_loss(one, two) / two.var().clamp(min=1e-6) for one, two in zip(found, wanted, strict=True)]
    return {'loss': torch.stack(shares).mean()}


class _Simulated:
    """The forward of a layer whose input and weight are rounded as int8 rounds them."""

    def __init__(self, layer: Any):
        self._layer = layer
        self._range: torch.Tensor | None = None
        self._compute: Callable = layer._conv_forward if isinstance(layer, nn.Conv2d) else F.linear

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        weight = self._layer.weight
        scale = (weight.detach().flatten(1).abs().amax(1) / 127).clamp(min=1e-12)
        zeros = torch.zeros_like(scale, dtype=torch.int32)
        weight = torch.fake_quantize_per_channel_affine(weight, scale, zeros, 0, -127, 127)
        return self._compute(self._rounded(x), weight, self._layer.bias)

    def _rounded(self, x: torch.Tensor) -> torch.Tensor:
        seen = torch.stack((x.detach().amin().clamp(max=0), x.detach().amax().clamp(min=0)))
        self._range = seen if self._range is None else self._range.lerp(seen, _MOMENTUM)
        scale = ((self._range[1] - self._range[0]) / 255).clamp(min=1e-12)
        zero = (-self._range[0] / scale).round().to(torch.int32)
        return torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, 255)
