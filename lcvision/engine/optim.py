"""How weights are updated: mixed precision on a CPU, or on what the model is on, and TensorFlow's RMSprop."""
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn
from torch.optim import Optimizer

from lcvision.registry import OPTIM_WRAPPERS, OPTIMIZERS


@OPTIM_WRAPPERS.register_module()
class BF16OptimWrapper(OptimWrapper):
    """Runs forward passes under bfloat16 autocast; bfloat16 needs no loss scaling.

    All arguments are mmengine's ``OptimWrapper``'s.

    Differs: mmengine's ``AmpOptimWrapper`` refuses to run without an accelerator.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield


@OPTIMIZERS.register_module()
class RMSpropTF(Optimizer):
    """Divides a gradient by the root of its running mean square, and applies momentum to the quotient.

    With gradient g, weight decay included: s <- alpha s + (1 - alpha) g^2 from s = 1;
    m <- momentum m + lr g / sqrt(s + eps) from m = 0; weight <- weight - m.

    Args:
        params, lr: Parameters or groups of them, and the learning rate, 0 or above.
        alpha, eps: Share of the past in the mean square, in [0, 1), and what is added to it, above 0.
        momentum: Share of the last step in the next, in [0, 1).
        weight_decay: Multiple of a weight that is added to its gradient.

    Source: TensorFlow 1's RMSPropOptimizer, which EfficientNet and EfficientNet-eLite are trained with.

    Differs: torch's ``RMSprop`` adds eps after the root, starts from s = 0, which makes the first steps several times
    as large, and applies a change of the learning rate also to the steps remembered in the momentum.
    """

    def __init__(self, params: Iterable, lr: float = 0.01, alpha: float = 0.9, eps: float = 1e-3,
                 momentum: float = 0.9, weight_decay: float = 0.):
        for name, value, legal in (('lr', lr, lr >= 0), ('alpha', alpha, 0 <= alpha < 1), ('eps', eps, eps > 0),
                                   ('momentum', momentum, 0 <= momentum < 1),
                                   ('weight_decay', weight_decay, weight_decay >= 0)):
            if not legal:
                raise ValueError(f'RMSpropTF: {name}={value} is out of range: lr and weight_decay are at least 0, eps '
                                 'is above 0, alpha and momentum lie in 0..1, 1 excluded')
        super().__init__(params, dict(lr=lr, alpha=alpha, eps=eps, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor] | None = None) -> torch.Tensor | None:  # type: ignore[override]
        """Updates all parameters that have a gradient; returns the loss that ``closure`` computes."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [p for p in group['params'] if p.grad is not None]
            if params:
                self._update(params, group)
        return loss

    def _update(self, params: list[torch.Tensor], group: dict) -> None:
        for p in params:
            if not self.state[p]:
                self.state[p].update(square_avg=torch.ones_like(p), momentum_buffer=torch.zeros_like(p))
        grads: list[torch.Tensor] | tuple[torch.Tensor, ...] = [p.grad for p in params]  # type: ignore[misc]
        if group['weight_decay']:
            grads = torch._foreach_add(grads, params, alpha=group['weight_decay'])
        squares = [self.state[p]['square_avg'] for p in params]
        steps = [self.state[p]['momentum_buffer'] for p in params]
        torch._foreach_mul_(squares, group['alpha'])
        torch._foreach_addcmul_(squares, grads, grads, 1 - group['alpha'])
        roots = torch._foreach_add(squares, group['eps'])
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(steps, group['momentum'])
        torch._foreach_addcdiv_(steps, grads, roots, group['lr'])
        torch._foreach_sub_(params, steps)
