"""The averaged weights of the reference PicoDet, and the hook that maintains them."""
import torch
from mmengine.hooks import EMAHook
from mmengine.model import BaseAveragedModel
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import nn

from lcvision.registry import HOOKS


@HOOKS.register_module()
class CycleEMAHook(EMAHook):
    """Averages the weights after every iteration and starts anew every ``cycle_epoch`` epochs; see :class:`CycleEMA`.

    Every validation and test of a run with this hook uses the averaged weights, and the training continues with the raw
    ones. A checkpoint holds the average as ``state_dict``, so that it is what tools load, and the raw weights, the
    number of updates and the position in the cycle as ``ema_state_dict``: a resumed run continues both exactly. A new
    cycle starts as the epoch after a full one begins, so that validation and checkpoint at a cycle's end still see its
    average.

    Args:
        decay: Upper end of the weight of the past, in (0, 1). It is one minus what mmengine's hook calls momentum.
        cycle_epoch: Epochs in a cycle, 1 or more, of a training that counts epochs; None for a single one.
        strict_load: Whether the average of a resumed checkpoint must have exactly the entries of the model.

    Source: ModelEMA and its trainer in the reference, September 2021 (cycle of 40 epochs, decay 0.9998). Later
        trainers count evaluations instead of epochs and hence never start anew; that is ``cycle_epoch=None``.
    """

    def __init__(self, decay: float = 0.9998, cycle_epoch: int | None = None, strict_load: bool = False) -> None:
        _check_decay(decay)
        if cycle_epoch is not None and cycle_epoch < 1:
            raise ValueError(f'CycleEMAHook: cycle_epoch must be 1 or more, or None for no cycle, got {cycle_epoch}.')
        super().__init__(ema_type=CycleEMA, strict_load=strict_load, decay=decay)
        self.cycle_epoch = cycle_epoch

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        if self.cycle_epoch is not None and isinstance(runner.train_loop, IterBasedTrainLoop):
            raise ValueError('CycleEMAHook: cycle_epoch counts epochs, and this training is counted in iterations; '
                             'set cycle_epoch=None or train with EpochBasedTrainLoop.')
        if self.ema_model.steps == 0:
            self.ema_model.reset(self.src_model)

    def before_train_epoch(self, runner: Runner) -> None:
        if self.cycle_epoch is not None and self.ema_model.epochs >= self.cycle_epoch:
            self.ema_model.reset(self.src_model)

    def after_train_epoch(self, runner: Runner) -> None:
        self.ema_model.epochs += 1


class CycleEMA(BaseAveragedModel):
    """Exponential moving average of every entry of a model's state, BatchNorm statistics included.

    With t updates done, the next one uses d = min(decay, (1 + t) / (10 + t)). The reference accumulates
    v <- d v + (1 - d) x from v = 0 and applies v / (1 - d^t) with the latest d, t counting that update. Here the module
    holds the applied weights a at all times; with c = 1 - d^t before and c' after the update this is
    a <- (d c / c') a + ((1 - d) / c') x, the same numbers up to rounding. Integer entries are copied.

    Source: ModelEMA of the reference with threshold decay.

    Differs: before the first update the reference applies zeros, here the weights are the model's own.
    """

    def __init__(self, model: nn.Module, decay: float = 0.9998) -> None:
        _check_decay(decay)
        super().__init__(model, update_buffers=True)
        self.decay = decay
        self.register_buffer('epochs', torch.tensor(0))

    def mixing_weights(self, updates: int) -> tuple[float, float]:
        """Weights of the average so far and of the model in the next update, after ``updates`` since the last reset.

        Their sum is 1 only for constant d, as in the reference.
        """
        decay = self._decay_after(updates)
        before = 1 - self._decay_after(updates - 1)**updates if updates else 0.0
        after = 1 - decay**(updates + 1)
        return decay * before / after, (1 - decay) / after

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Takes the present state of the model into the average."""
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
        """Forgets everything: the next update counts as the first, until then the model's present state is used."""
        average, source, copies, originals = self._pair_up(model)
        torch._foreach_copy_(average + copies, source + originals)
        self.steps.zero_()
        self.epochs.zero_()

    def _decay_after(self, updates: int) -> float:
        return min(self.decay, (1 + updates) / (10 + updates))

    def _pair_up(self, model: nn.Module) -> tuple[list, list, list, list]:
        """Float entries of the average and of the model, then the other entries of both."""
        state = model.state_dict()
        lists: tuple[list, list, list, list] = ([], [], [], [])
        for name, value in self.avg_parameters.items():
            first = 0 if value.is_floating_point() else 2
            lists[first].append(value)
            lists[first + 1].append(state[name])
        return lists


def _check_decay(decay: float) -> None:
    if not 0 < decay < 1:
        raise ValueError(f'CycleEMA: decay must lie between 0 and 1, such as 0.9998, got {decay}.')
