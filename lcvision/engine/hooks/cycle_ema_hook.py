"""Training hook around the averaged weights of the reference PicoDet."""
from mmengine.hooks import EMAHook
from mmengine.runner import IterBasedTrainLoop, Runner

from lcvision.engine.cycle_ema import CycleEMA
from lcvision.registry import HOOKS


@HOOKS.register_module()
class CycleEMAHook(EMAHook):
    """Averages the weights after every iteration and starts anew every ``cycle_epoch`` epochs; see :class:`CycleEMA`.

    Every validation and test of a run with this hook uses the averaged weights, and the training goes on with the raw
    ones. A checkpoint holds the average as ``state_dict``, so that it is what tools load, and the raw weights, the
    number of updates and the position in the cycle as ``ema_state_dict``: a resumed run continues both exactly. The
    start anew happens as the epoch after a full cycle begins, so that validation and checkpoint at a cycle's end still
    see its average.

    Args:
        decay: Upper end of the weight of the past, in (0, 1). It is one minus what mmengine's hook calls momentum.
        cycle_epoch: Epochs in a cycle, 1 or more; None for a single one.
        strict_load: Whether the average of a resumed checkpoint must have exactly the entries of the model.

    Raises:
        ValueError: ``decay`` or ``cycle_epoch`` lies outside its range, or a cycle is asked of a training that is
            counted in iterations.

    Source: ModelEMA and its trainer in the reference, September 2021 (cycle of 40 epochs, decay 0.9998). Later
        trainers count evaluations instead of epochs and hence never get to start anew; that is ``cycle_epoch=None``.
    """

    def __init__(self, decay: float = 0.9998, cycle_epoch: int | None = None, strict_load: bool = False) -> None:
        if not 0 < decay < 1:
            raise ValueError(f'CycleEMAHook: decay must lie between 0 and 1, such as 0.9998, got {decay}.')
        if cycle_epoch is not None and cycle_epoch < 1:
            raise ValueError(f'CycleEMAHook: cycle_epoch must be 1 or more, or None for no cycle, got {cycle_epoch}.')
        super().__init__(ema_type=CycleEMA, strict_load=strict_load, decay=decay)
        self.cycle_epoch = cycle_epoch

    def before_train(self, runner: Runner) -> None:
        """Lets the average start from the weights that training starts from."""
        super().before_train(runner)
        if self.cycle_epoch is not None and isinstance(runner.train_loop, IterBasedTrainLoop):
            raise ValueError('CycleEMAHook: cycle_epoch counts epochs, and this training is counted in iterations; '
                             'set cycle_epoch=None or train with EpochBasedTrainLoop.')
        if self.ema_model.steps == 0:
            self.ema_model.reset(self.src_model)

    def before_train_epoch(self, runner: Runner) -> None:
        """Starts a new cycle when the last one is full."""
        if self.cycle_epoch is not None and self.ema_model.epochs >= self.cycle_epoch:
            self.ema_model.reset(self.src_model)

    def after_train_epoch(self, runner: Runner) -> None:
        """Counts the epochs of the cycle."""
        self.ema_model.epochs += 1
