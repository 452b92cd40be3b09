"""Classification heads: PP-LCNet's, and two that convolve before they pool."""
from typing import Any

import torch
from mmcv.cnn import ConvModule, build_activation_layer
from mmpretrain.models.heads import ClsHead
from torch import nn

from lcvision.registry import MODELS


@MODELS.register_module()
class PPLCNetHead(ClsHead):
    """Global average pooling, a 1 x 1 convolution to 1280, activation, dropout, linear classifier.

    Args:
        expand_channels: Width of the 1 x 1 convolution; it does not scale with the backbone. None leaves out
            convolution, activation and dropout, as in the paper's tables 6 and 9.
        dropout, act_cfg: Probability before the classifier, and activation after the convolution.
        kwargs: What mmpretrain's ``ClsHead`` takes: loss, topk, cal_acc, init_cfg.

    Shapes: tuple of maps, the last (N, in_channels, H, W) -> (N, num_classes).

    Source: PP-LCNet, figure 2, and PaddleClas: the convolution has neither bias nor norm.

    Differs: Paddle's dropout multiplies by 1 - p at inference instead of dividing by it in training. Here it is the
    usual dropout, and the converter folds the factor into the classifier's weight: equal in both modes. The initial
    weights are not scaled, so training from scratch starts with 1 / (1 - p) = 1.25 times Paddle's logits.
    """

    def __init__(self, num_classes: int, in_channels: int, expand_channels: int | None = 1280, dropout: float = 0.2,
                 act_cfg: dict | None = None, **kwargs: Any):
        if num_classes < 1:
            raise ValueError(f'{type(self).__name__}: num_classes={num_classes} must be at least 1')
        if not 0 <= dropout <= 1:
            raise ValueError(f'{type(self).__name__}: dropout={dropout} must lie in 0..1; 0 drops nothing')
        # Named with its scope, so that the head is built alike under mmdet's or no default scope.
        kwargs.setdefault('loss', dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0))
        kwargs.setdefault('init_cfg', [dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='relu'),
                                       dict(type='Xavier', layer='Linear', distribution='uniform')])
        super().__init__(**kwargs)
        self.expand: nn.Module = (nn.Conv2d(in_channels, expand_channels, 1, bias=False) if expand_channels
                                  else nn.Identity())
        act_cfg = act_cfg or dict(type='HSwish')
        self.act: nn.Module = build_activation_layer(act_cfg) if expand_channels else nn.Identity()
        self.dropout: nn.Module = nn.Dropout(dropout) if expand_channels else nn.Identity()
        self.fc = nn.Linear(expand_channels or in_channels, num_classes)

    def pre_logits(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Features (N, C) before dropout and classifier."""
        return self.act(self.expand(feats[-1].mean((2, 3), keepdim=True))).flatten(1)

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return self.fc(self.dropout(self.pre_logits(feats)))


@MODELS.register_module()
class MobileNetV3Head(PPLCNetHead):
    """A 1 x 1 convolution with norm and hard-swish on the map, then what PP-LCNet's head has.

    Args:
        dropout, kwargs: See :class:`PPLCNetHead`.
        mid_channels: Width of the convolution before pooling: 960 (large) or 576 (small) times the backbone's scale,
            rounded as the backbone's widths are; torchvision has six times ``in_channels`` instead.
        expand_channels: Width of the convolution after pooling. Paddle's is 1280 at every scale, torchvision's 1280
            (large) or 1024 (small) times the scale.
        expand_bias: Whether that convolution has a bias, as torchvision's has.
        norm_cfg, act_cfg: Norm of the convolution before pooling, and activation after both convolutions.

    Source: PaddleClas ``MobileNetV3``: ``last_second_conv``, pooling, ``last_conv``, dropout, ``fc``.

    Differs: Paddle's dropout, as in :class:`PPLCNetHead`.
    """

    def __init__(self, num_classes: int, in_channels: int, mid_channels: int, expand_channels: int | None = 1280,
                 expand_bias: bool = False, dropout: float = 0.2, norm_cfg: dict | None = None,
                 act_cfg: dict | None = None, **kwargs: Any):
        act_cfg = act_cfg or dict(type='HSwish')
        super().__init__(num_classes, mid_channels, expand_channels, dropout, act_cfg, **kwargs)
        self.conv = ConvModule(in_channels, mid_channels, 1, norm_cfg=norm_cfg or dict(type='BN'), act_cfg=act_cfg)
        # BaseModule lets a direct ConvModule child initialise itself again, over what init_cfg has set.
        self.conv.is_init = True
        if expand_bias and expand_channels:
            self.expand = nn.Conv2d(mid_channels, expand_channels, 1)

    def pre_logits(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return super().pre_logits((self.conv(feats[-1]),))


@MODELS.register_module()
class ConvGapHead(MobileNetV3Head):
    """A 1 x 1 convolution with norm and activation on the map, global average pooling, dropout, linear classifier.

    Its arguments are those of :class:`MobileNetV3Head`.

    Source: MobileNetV2 (arXiv 1801.04381), table 2; ShuffleNetV2, EfficientNet and Seesaw-Net end alike and differ in
    the activation.
    """

    def __init__(self, num_classes: int, in_channels: int, mid_channels: int = 1280, dropout: float = 0.2,
                 norm_cfg: dict | None = None, act_cfg: dict | None = None, **kwargs: Any):
        kwargs.setdefault('init_cfg', [dict(type='Kaiming', layer='Conv2d', mode='fan_out', nonlinearity='relu'),
                                       dict(type='Constant', layer='_BatchNorm', val=1),
                                       dict(type='Normal', layer='Linear', std=0.01)])
        super().__init__(num_classes, in_channels, mid_channels, None, dropout=dropout, norm_cfg=norm_cfg,
                         act_cfg=act_cfg or dict(type='ReLU6'), **kwargs)
        self.dropout = nn.Dropout(dropout)
