"""The averaged weights of the reference PicoDet."""
import torch
from mmengine.model import BaseAveragedModel
from torch import nn


class CycleEMA(BaseAveragedModel):
    """Exponential moving average of every entry of a model's state, BatchNorm statistics included.

    With t updates done, the next one uses d = min(decay, (1 + t) / (10 + t)). The reference accumulates
    v <- d v + (1 - d) x from v = 0 and applies v / (1 - d^t) with the latest d, t counting that update. Here the module
    holds the applied weights a at all times; with c = 1 - d^t before and c' after the update this is
    a <- (d c / c') a + ((1 - d) / c') x, the same numbers up to rounding. Integer entries are copied.

    Args:
        model: Its state is averaged; the average starts as a copy.
        decay: Upper end of d, in (0, 1).

    Raises:
        ValueError: ``decay`` lies outside (0, 1).

    Source: ModelEMA of the reference with threshold decay.

    Differs: before the first update the reference applies zeros, here the weights are the model's own.
    """

    def __init__(self, model: nn.Module, decay: float = 0.9998) -> None:
        if not 0 < decay < 1:
            raise ValueError(f'CycleEMA: decay must lie between 0 and 1, such as 0.9998, got {decay}.')
        super().__init__(model, update_buffers=True)
        self.decay = decay
        self.register_buffer('epochs', torch.tensor(0))

    def mixing_weights(self, updates: int) -> tuple[float, float]:
        """Weights of the next update.

        Args:
            updates: Number of updates since the start or the last reset.

        Returns:
            Weight of the average so far and of the model; their sum is 1 only for constant d, as in the reference.
        """
        decay = self._decay_after(updates)
        before = 1 - self._decay_after(updates - 1)**updates if updates else 0.0
        after = 1 - decay**(updates + 1)
        return decay * before / after, (1 - decay) / after

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Takes the model's present state into the average.

        Args:
            model: The model given to the constructor, some steps later.
        """
        updates = int(self.steps)
        average, source, copies, originals = self._pair_up(model)
        if updates == 0:
            # Its weight is 0: a copy, so that nothing of what was there before gets through, not even a NaN.
            torch._foreach_copy_(average, source)
        else:
            keep, take = self.mixing_weights(updates)
            torch._foreach_mul_(average, keep)
            torch._foreach_add_(average, source, alpha=take)
        if copies:
            torch._foreach_copy_(copies, originals)
        self.steps += 1

    @torch.no_grad()
    def reset(self, model: nn.Module) -> None:
        """Forgets everything: the next update counts as the first.

        Args:
            model: Its present state stands for the average until then.
        """
        average, source, copies, originals = self._pair_up(model)
        torch._foreach_copy_(average + copies, source + originals)
        self.steps.zero_()
        self.epochs.zero_()

    def _decay_after(self, updates: int) -> float:
        return min(self.decay, (1 + updates) / (10 + updates))

    def _pair_up(self, model: nn.Module) -> tuple[list, list, list, list]:
        """Float entries of the average and of the model, then the other entries of both."""
        state = model.state_dict()
        floats = [(value, state[name]) for name, value in self.avg_parameters.items() if value.is_floating_point()]
        others = [(value, state[name]) for name, value in self.avg_parameters.items() if not value.is_floating_point()]
        return ([pair[0] for pair in floats], [pair[1] for pair in floats],
                [pair[0] for pair in others], [pair[1] for pair in others])
