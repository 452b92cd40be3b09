"""What every backbone promises."""
from collections.abc import Collection, Sequence

import torch
from mmengine.model import BaseModule
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


class Backbone(BaseModule):
    """A stem and a list of stages with a declared shape for every output.

    A subclass hands its ``**kwargs`` on to this class, builds ``self.stem`` and ``self.stages`` (each an
    ``nn.Module``) with ``self.norm_cfg`` and then calls :meth:`declare` with the stage that ends each stride. Stages
    behind the last wanted output are not run and not built into the graph.

    Args:
        out_indices: Which outputs to return, ascending; 0..3 have strides 4, 8, 16, 32 unless a class says otherwise.
        frozen_stages: How many stages are frozen together with the stem; -1 freezes nothing and 0 only the stem. Frozen
            norms stay in eval mode.
        norm_cfg: Norm of every convolution, BN by default.
        norm_eval: Whether all norms use their running statistics in training, too.
        init_cfg: mmengine initialisation; a ``Pretrained`` one loads weights.
        output_stride: Stride of the deepest map, 8, 16 or 32: stages that would go further keep their size, and their
            convolutions are dilated instead, so that weights of any output stride fit any other.
        init_mode: Fan of the convolutions' Kaiming initialisation, 'fan_in' or 'fan_out', without ``init_cfg``.

    Attributes:
        out_channels: Channels of each returned map.
        out_strides: Stride of each returned map.

    Shapes: (N, 3, H, W) -> tuple of (N, out_channels[i], ceil(H / out_strides[i]), ceil(W / out_strides[i])).
    """

    stem: nn.Module
    stages: nn.ModuleList

    def __init__(self, *, out_indices: Sequence[int] = (0, 1, 2, 3), frozen_stages: int = -1,
                 norm_cfg: dict | None = None, norm_eval: bool = False, init_cfg: dict | list | None = None,
                 output_stride: int = 32, init_mode: str = 'fan_in'):
        super().__init__(init_cfg or [dict(type='Kaiming', layer='Conv2d', mode=init_mode, nonlinearity='relu'),
                                      dict(type='Constant', layer='_BatchNorm', val=1)])
        self.check_choice(output_stride=(output_stride, (8, 16, 32)))
        self.output_stride = output_stride
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_cfg = norm_cfg or dict(type='BN')
        self.norm_eval = norm_eval

    def check_choice(self, **choices: tuple[object, Collection]) -> None:
        """Refuses an argument without a legal value; ``choices`` has its value and the legal ones under its name."""
        for name, (given, legal) in choices.items():
            if given not in legal:
                raise ValueError(f'{type(self).__name__}: {name}={given!r} must be one of '
                                 f'{", ".join(map(repr, legal))}')

    def check_strides(self, strides: object, count: int, names: str = '') -> tuple[int, ...]:
        """The strides of stem and stages, ``count`` numbers 1 or 2; else a ValueError, with ``names`` also allowed."""
        steps = tuple(strides) if isinstance(strides, Sequence) else ()
        if len(steps) != count or set(steps) - {1, 2}:
            raise ValueError(f'{type(self).__name__}: strides={strides!r} must be {names}{count} numbers 1 or 2, those '
                             f'of the stem and of {count - 1} stages, e.g. {(2,) * count}')
        return steps

    def declare(self, ends: Sequence[int], channels: Sequence[int], strides: Sequence[int] = (4, 8, 16, 32)) -> None:
        """Fixes which stage yields which output and drops the stages that no output needs.

        ``ends`` and ``strides`` have for each possible output the index of its stage and its stride, ``channels`` the
        output channels of every stage.
        """
        name, wanted = type(self).__name__, self.out_indices
        whole = all(isinstance(i, int) for i in wanted)
        if not wanted or not whole or list(wanted) != sorted(set(wanted)) or wanted[0] < 0 or wanted[-1] >= len(ends):
            raise ValueError(f'{name}: out_indices={wanted} must ascend and lie in 0..{len(ends) - 1}, '
                             f'which are the strides {tuple(strides)}')
        if not isinstance(self.frozen_stages, int) or not -1 <= self.frozen_stages <= len(self.stages):
            raise ValueError(f'{name}: frozen_stages={self.frozen_stages} must lie in -1..{len(self.stages)} '
                             '(-1: nothing, 0: the stem, n: the stem and the first n stages)')
        self.out_channels = tuple(channels[ends[i]] for i in wanted)
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
