"""The decode head of DeepLabV3+."""
import warnings
from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from torch import nn

from lcvision.models.decode_heads.aspp import ASPP, separable
from lcvision.registry import MODELS

_MEASURED = (('in_channels', 'channels of the fine and of the deep map, e.g. (32, 256)'),
             ('in_index', 'places of the fine and of the deep map, e.g. (0, -1)'))


@MODELS.register_module()
class DeepLabV3PlusHead(BaseDecodeHead):
    """ASPP on a backbone's deepest map, refined with its map of stride 4.

    The dilations of ASPP belong to the backbone's ``output_stride``:

    =============  ===============================================================================
    output_stride  aspp_ratios
    =============  ===============================================================================
    8              (1, 12, 24, 36)
    16             (1, 6, 12, 18)
    32             (1, 6, 12, 18), what the reference takes where nothing is said, or (1, 3, 6, 9),
                   which covers in pixels what the rows above cover
    =============  ===============================================================================

    Training needs batches of two images or more: the norm behind the mean has one value an image.

    Args:
        in_channels: Channels of the fine and of the deep map.
        channels: Width of the two last convolutions.
        num_classes: Classes.
        aspp_ratios: Dilations, see above.
        aspp_channels: Width of ASPP.
        low_level_channels: Width that the fine map is reduced to.
        dropout_ratio: Probability of dropping an element of what ASPP gives.
        norm_cfg: Norm of every convolution.
        act_cfg: Activation of every convolution but the depthwise ones, which have none.
        in_index: Places of the fine and of the deep map among the backbone's; -1 is the last.
        loss_decode: One loss or several, computed at the labels' size; None takes the cross-entropy, mean over the
            pixels that count.
        ignore_index: Label of the pixels that do not count.
        sampler: mmseg's pixel sampler, or None.
        align_corners: Whether interpolation aligns corners.
        init_cfg: mmengine initialisation; None takes the reference's.

    Shapes: maps of any strides, of them (N, in_channels[0], H, W) and (N, in_channels[1], h, w) ->
    (N, num_classes, H, W); loss and prediction are at the size of the labels and of the image.

    Raises:
        ValueError: ``in_channels`` or ``in_index`` is no pair, or ``aspp_ratios`` are no dilations.

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
                 ignore_index: int = 255, sampler: dict | None = None, align_corners: bool = False,
                 init_cfg: dict | list | None = None):
        for (name, meaning), value in zip(_MEASURED, (in_channels, in_index), strict=True):
            if not isinstance(value, list | tuple) or len(value) != 2:
                raise ValueError(f'DeepLabV3PlusHead: {name}={value} must be two numbers, the {meaning}')
        if not aspp_ratios or any(not isinstance(ratio, int) or ratio < 1 for ratio in aspp_ratios):
            raise ValueError(f'DeepLabV3PlusHead: aspp_ratios={aspp_ratios} must be dilations of 1 or more, '
                             'e.g. (1, 6, 12, 18)')
        norm_cfg, act_cfg = norm_cfg or dict(type='BN'), act_cfg or dict(type='ReLU')
        cfg: dict = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        with warnings.catch_warnings():
            # mmcv warns of a bias before a norm, which is the reference's, and mmseg of a name of its own.
            warnings.filterwarnings('ignore', 'Unnecessary conv bias|``build_loss`` would be deprecated')
            super().__init__(
                in_channels, channels, num_classes=num_classes, out_channels=num_classes, dropout_ratio=0,
                in_index=in_index, input_transform='multiple_select',
                loss_decode=loss_decode or dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
                ignore_index=ignore_index, sampler=sampler, align_corners=align_corners, init_cfg=init_cfg or [
                    dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='relu'),
                    dict(type='Constant', layer='_BatchNorm', val=1)], **cfg)
            self.aspp = ASPP(in_channels[1], aspp_channels, aspp_ratios, dropout_ratio, **cfg)
            self.low_level = ConvModule(in_channels[0], low_level_channels, 1, bias=True, **cfg)
            self.fuse = nn.Sequential(separable(aspp_channels + low_level_channels, channels, **cfg),
                                      separable(channels, channels, **cfg))
        self._reference_init = not init_cfg
        # BaseModule lets a direct ConvModule child initialise itself again, over what init_cfg has set.
        self.low_level.is_init = True

    def init_weights(self) -> None:
        """Initialises as the reference does, unless ``init_cfg`` was given.

        Paddle's standard deviation of a convolution counts the channels of its whole input, groups or not.
        """
        first = not self.is_init
        super().init_weights()
        for module in self.modules():
            if first and self._reference_init and isinstance(module, nn.Conv2d) and module.groups > 1:
                nn.init.normal_(module.weight, std=(2 / (module.in_channels * module.weight[0, 0].numel())) ** 0.5)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Returns logits at the stride of the fine map."""
        fine, deep = self._transform_inputs(inputs)
        fine = self.low_level(fine)
        deep = resize(self.aspp(deep), fine.shape[2:], mode='bilinear', align_corners=self.align_corners)
        return self.cls_seg(self.fuse(torch.cat((deep, fine), 1)))
