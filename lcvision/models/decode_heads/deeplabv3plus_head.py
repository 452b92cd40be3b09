"""The decode head of DeepLabV3+ and its atrous spatial pyramid pooling."""
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from torch import nn

from lcvision.registry import MODELS

# PaddleSeg's ``SeparableConvBNReLU``: a depthwise convolution without activation and a 1 x 1 one with it, both with
# bias and norm.
_separable = partial(DepthwiseSeparableConvModule, kernel_size=3, bias=True, dw_act_cfg=None)


class ASPP(nn.Module):
    """Looks at a map through several dilations and through its mean, and joins what it sees.

    Args:
        out_channels: Channels of every branch and of the output.
        ratios: Dilation of each branch; 1 makes it a 1 x 1 convolution, any other a separable 3 x 3 one.
        dropout: Probability of dropping an element of the output.
        norm_cfg, act_cfg: Norm of every convolution, and activation of all but the depthwise ones, which have none.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, H, W).

    Source: PaddleSeg ``ASPPModule`` with separable convolutions and image pooling: biases before the norms except in
    the branch of the mean, which comes last; a 1 x 1 convolution joins.

    Differs: the mean's branch is repeated over the map where the reference interpolates its one pixel: the same.
    """

    def __init__(self, in_channels: int, out_channels: int, ratios: Sequence[int], dropout: float, norm_cfg: dict,
                 act_cfg: dict):
        super().__init__()
        cfg: dict = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.branches = nn.ModuleList(
            ConvModule(in_channels, out_channels, 1, bias=True, **cfg) if ratio == 1 else
            _separable(in_channels, out_channels, padding=ratio, dilation=ratio, **cfg) for ratio in ratios)
        self.image_pool = ConvModule(in_channels, out_channels, 1, **cfg)
        self.project = ConvModule((len(ratios) + 1) * out_channels, out_channels, 1, bias=True, **cfg)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = self.image_pool(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        return self.dropout(self.project(torch.cat([*(branch(x) for branch in self.branches), mean], 1)))


@MODELS.register_module()
class DeepLabV3PlusHead(BaseDecodeHead):
    """ASPP on a backbone's deepest map, refined with its map of stride 4.

    The dilations of ASPP belong to the backbone's ``output_stride``: (1, 12, 24, 36) to 8 and (1, 6, 12, 18) to 16. For
    32 the reference takes (1, 6, 12, 18) by default, too; (1, 3, 6, 9) covers in pixels what the others cover. Training
    needs batches of two images or more: the norm behind the mean has one value an image.

    Args:
        in_channels, in_index: Of the fine and of the deep map the channels, and the places among the backbone's; -1 is
            the last.
        channels, num_classes: Width of the two last convolutions, and classes.
        aspp_ratios, aspp_channels: Dilations, see above, and width of ASPP.
        low_level_channels: Width that the fine map is reduced to.
        dropout_ratio, norm_cfg, act_cfg: As ``dropout`` and the others of :class:`ASPP`.
        loss_decode: One loss or several, computed at the labels' size; None takes the cross-entropy, mean over the
            pixels that count.
        kwargs: ``ignore_index``, ``sampler`` and ``align_corners`` of mmseg's ``BaseDecodeHead``.

    Shapes: maps of any strides, of them (N, in_channels[0], H, W) and (N, in_channels[1], h, w) ->
    (N, num_classes, H, W); loss and prediction are at the size of the labels and of the image.

    Source: DeepLabV3+ (arXiv 1802.02611), figure 2, and PaddleSeg ``DeepLabV3P``.

    Differs: from mmseg's ``DepthwiseSeparableASPPHead``, none of which an argument changes, in that depthwise
    convolutions have no activation, all but one convolution have a bias, ASPP is joined by a 1 x 1 instead of a 3 x 3
    convolution and may be narrower than what follows, and the dropout drops elements of ASPP's output instead of
    channels before the last convolution. The reference has 256 and 48 channels fixed in its decoder; here they are
    arguments.
    """

    def __init__(self, in_channels: Sequence[int], channels: int = 256, *, num_classes: int,
                 aspp_ratios: Sequence[int] = (1, 6, 12, 18), aspp_channels: int = 256, low_level_channels: int = 48,
                 dropout_ratio: float = 0.1, norm_cfg: dict | None = None, act_cfg: dict | None = None,
                 in_index: Sequence[int] = (0, -1), loss_decode: dict | list[dict] | None = None,
                 init_cfg: dict | list | None = None, **kwargs: Any):
        pairs = dict(in_channels=(in_channels, 'channels', (32, 256)), in_index=(in_index, 'places', (0, -1)))
        for name, (value, meaning, example) in pairs.items():
            if not isinstance(value, list | tuple) or len(value) != 2:
                raise ValueError(f'DeepLabV3PlusHead: {name}={value} must be two numbers, the {meaning} of the fine '
                                 f'and of the deep map, e.g. {example}')
        if not aspp_ratios or any(not isinstance(ratio, int) or ratio < 1 for ratio in aspp_ratios):
            raise ValueError(f'DeepLabV3PlusHead: aspp_ratios={aspp_ratios} must be dilations of 1 or more, '
                             'e.g. (1, 6, 12, 18)')
        cfg: dict = dict(norm_cfg=norm_cfg or dict(type='BN'), act_cfg=act_cfg or dict(type='ReLU'))
        with warnings.catch_warnings():
            # mmcv warns of a bias before a norm, which is the reference's, and mmseg of a name of its own.
            warnings.filterwarnings('ignore', 'Unnecessary conv bias|``build_loss`` would be deprecated')
            super().__init__(
                in_channels, channels, num_classes=num_classes, out_channels=num_classes, dropout_ratio=0,
                in_index=in_index, input_transform='multiple_select',
                loss_decode=loss_decode or dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
                init_cfg=init_cfg or [dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='relu'),
                                      dict(type='Constant', layer='_BatchNorm', val=1)], **cfg, **kwargs)
            self.aspp = ASPP(in_channels[1], aspp_channels, aspp_ratios, dropout_ratio, **cfg)
            self.low_level = ConvModule(in_channels[0], low_level_channels, 1, bias=True, **cfg)
            self.fuse = nn.Sequential(_separable(aspp_channels + low_level_channels, channels, padding=1, **cfg),
                                      _separable(channels, channels, padding=1, **cfg))
        self._reference_init = not init_cfg
        # BaseModule lets a direct ConvModule child initialise itself again, over what init_cfg has set.
        self.low_level.is_init = True

    def init_weights(self) -> None:
        """Initialises as the reference does, unless ``init_cfg`` was given."""
        first = not self.is_init
        super().init_weights()
        # Paddle's standard deviation of a convolution counts the channels of its whole input, groups or not.
        for module in self.modules():
            if first and self._reference_init and isinstance(module, nn.Conv2d) and module.groups > 1:
                nn.init.normal_(module.weight, std=(2 / (module.in_channels * module.weight[0, 0].numel())) ** 0.5)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        fine, deep = self._transform_inputs(inputs)
        fine = self.low_level(fine)
        deep = resize(self.aspp(deep), fine.shape[2:], mode='bilinear', align_corners=self.align_corners)
        return self.cls_seg(self.fuse(torch.cat((deep, fine), 1)))
