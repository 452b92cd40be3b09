"""The neck of PicoDet v2."""
from mmengine.model import Sequential
from torch import nn

from lcvision.models.layers import DepthwiseSeparable
from lcvision.models.necks.pico_pyramid import PicoPyramid
from lcvision.registry import MODELS


@MODELS.register_module()
class LCPAN(PicoPyramid):
    """A pyramid whose maps are fused by two of PP-LCNet's depthwise-separable blocks.

    Args:
        in_channels: Channels of the backbone's maps, finest first.
        out_channels: Channels of every output.
        kernel_size: Odd size of all depthwise kernels.
        num_outs: As many as ``in_channels``, or one more for a coarser level.
        norm_cfg: Norm of every convolution.
        act_cfg: Activation of every convolution.
        init_cfg: mmengine initialisation.

    Shapes: see :class:`PicoPyramid`.

    Source: PaddleDetection ``LCPAN`` at 666f597f. The fusing blocks are LCNet's, with its Kaiming-normal
    initialisation and its norms that do not decay; the other norms of this neck do (see the configs).
    """

    def make_fuse(self, in_channels: int, out_channels: int) -> nn.Module:
        """Returns two blocks, of which the second narrows."""
        return Sequential(
            DepthwiseSeparable(in_channels, in_channels, self.kernel_size, **self.layer_cfg),
            DepthwiseSeparable(in_channels, out_channels, self.kernel_size, **self.layer_cfg),
            init_cfg=dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='relu'))
