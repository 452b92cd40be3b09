"""What every backbone promises."""
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

_OUTPUT_STRIDES = (8, 16, 32)


class Backbone(BaseModule):
    """A stem and a list of stages with a declared shape for every output.

    A subclass builds ``self.stem`` and ``self.stages`` (each an ``nn.Module``) and then calls :meth:`declare` with the
    stage that ends each stride. Stages behind the last wanted output are not run and not built into the graph.

    Args:
        out_indices: Which outputs to return, ascending.
        frozen_stages: How many of the stages are frozen, together with the stem; -1 freezes nothing and 0 the stem
            alone. Frozen norms stay in eval mode.
        norm_eval: Whether all norms use their running statistics also in training.
        init_cfg: mmengine initialisation; a ``Pretrained`` one loads weights.
        output_stride: Stride of the deepest map, 8, 16 or 32: stages that would go further keep their size, and their
            convolutions are dilated instead, so that weights of any output stride fit any other.

    Attributes:
        out_channels: Channels of each returned map.
        out_strides: Stride of each returned map.

    Shapes: (N, 3, H, W) -> tuple of (N, out_channels[i], ceil(H / out_strides[i]), ceil(W / out_strides[i])).
    """

    stem: nn.Module
    stages: nn.ModuleList

    def __init__(self, out_indices: Sequence[int], frozen_stages: int, norm_eval: bool, init_cfg: dict | list | None,
                 output_stride: int = 32):
        super().__init__(init_cfg=init_cfg)
        if output_stride not in _OUTPUT_STRIDES:
            raise ValueError(f'{type(self).__name__}: output_stride={output_stride} must be one of {_OUTPUT_STRIDES}')
        self.output_stride = output_stride
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval

    def declare(self, ends: Sequence[int], channels: Sequence[int], strides: Sequence[int]) -> None:
        """Fixes which stage yields which output and drops the stages that no output needs.

        Args:
            ends: For each possible output, the index of the stage that yields it.
            channels: For each possible output, its channels.
            strides: For each possible output, its stride.

        Raises:
            ValueError: If ``out_indices`` or ``frozen_stages`` does not fit.
        """
        name, wanted = type(self).__name__, self.out_indices
        whole = all(isinstance(i, int) for i in wanted)
        if not wanted or not whole or list(wanted) != sorted(set(wanted)) or wanted[0] < 0 or wanted[-1] >= len(ends):
            raise ValueError(f'{name}: out_indices={wanted} must ascend and lie in 0..{len(ends) - 1}, '
                             f'which are the strides {tuple(strides)}')
        if not isinstance(self.frozen_stages, int) or not -1 <= self.frozen_stages <= len(self.stages):
            raise ValueError(f'{name}: frozen_stages={self.frozen_stages} must lie in -1..{len(self.stages)} '
                             '(-1: nothing, 0: the stem, n: the stem and the first n stages)')
        self.out_channels = tuple(channels[i] for i in wanted)
        self.out_strides = tuple(min(strides[i], self.output_stride) for i in wanted)
        self._ends = tuple(ends[i] for i in wanted)
        del self.stages[self._ends[-1] + 1:]
        self._dilate()
        # BaseModule lets a direct ConvModule child initialise itself again, over what init_cfg has set.
        self.stem.is_init = True  # type: ignore[assignment]
        self._freeze()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Returns one map for each of ``out_indices``."""
        x = self.stem(x)
        outs = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in self._ends:
                outs.append(x)
        return tuple(outs)

    def train(self, mode: bool = True) -> 'Backbone':
        """Sets the mode, keeping frozen stages and, with ``norm_eval``, all norms in eval mode."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def _dilate(self) -> None:
        """Trades the strides beyond ``output_stride`` for dilation, in place."""
        total, rate = 1, 1
        for stage in (self.stem, *self.stages):
            convs = [m for m in stage.modules() if isinstance(m, nn.Conv2d)]
            # Parallel branches halve the map together: a stage counts once.
            strided = [conv for conv in convs if conv.stride != (1, 1)]
            # A pooling stands before stride 8, the least output stride: it is counted and never changed.
            pooled = any(isinstance(m, nn.MaxPool2d) for m in stage.modules())
            before, total = rate, total * (2 if strided or pooled else 1)
            if strided and total > self.output_stride:
                rate *= 2
            for conv in convs:
                if total > self.output_stride and conv in strided:
                    conv.stride = (1, 1)
                    _set_dilation(conv, before)
                else:
                    _set_dilation(conv, rate)

    def _freeze(self) -> None:
        if self.frozen_stages < 0:
            return
        for module in (self.stem, *self.stages[:self.frozen_stages]):
            module.eval()
            module.requires_grad_(False)


def _set_dilation(conv: nn.Conv2d, rate: int) -> None:
    if rate == 1 or conv.kernel_size == (1, 1):
        return
    conv.dilation = (rate, rate)
    # A padding of 0 belongs to convolutions that find theirs from the size of the input.
    if conv.padding != (0, 0):
        conv.padding = (rate * (conv.kernel_size[0] // 2), rate * (conv.kernel_size[1] // 2))
