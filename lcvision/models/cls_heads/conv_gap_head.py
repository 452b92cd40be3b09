"""The classification head of EfficientNet, MobileNetV2, ShuffleNetV2 and Seesaw-Net."""
import torch
from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.cls_heads.pplcnet_head import PPLCNetHead
from lcvision.registry import MODELS


@MODELS.register_module()
class ConvGapHead(PPLCNetHead):
    """A 1 x 1 convolution with norm and activation on the map, global average pooling, dropout, linear classifier.

    Args:
        num_classes: Classes.
        in_channels: Channels of the backbone's last map.
        mid_channels: Width of the convolution.
        dropout: Probability of dropout before the classifier.
        norm_cfg: Norm of the convolution.
        act_cfg: Activation after the norm.
        kwargs: What mmpretrain's ``ClsHead`` takes: loss, topk, cal_acc, init_cfg.

    Shapes: tuple of maps, the last (N, in_channels, H, W) -> (N, num_classes).

    Raises:
        ValueError: If ``num_classes`` is below 1 or ``dropout`` is no probability.

    Source: MobileNetV2 (arXiv 1801.04381), table 2; ShuffleNetV2, EfficientNet and Seesaw-Net end alike and differ in
    the activation.
    """

    def __init__(self, num_classes: int, in_channels: int, mid_channels: int = 1280, dropout: float = 0.2,
                 norm_cfg: dict | None = None, act_cfg: dict | None = None, **kwargs):
        kwargs.setdefault('init_cfg', [
            dict(type='Kaiming', layer='Conv2d', mode='fan_out', nonlinearity='relu'),
            dict(type='Constant', layer='_BatchNorm', val=1),
            dict(type='Normal', layer='Linear', std=0.01),
        ])
        super().__init__(num_classes, mid_channels, None, dropout, **kwargs)
        self.conv = ConvModule(in_channels, mid_channels, 1, norm_cfg=norm_cfg or dict(type='BN'),
                               act_cfg=act_cfg or dict(type='ReLU6'))
        # BaseModule lets a direct ConvModule child initialise itself again, over what init_cfg has set.
        self.conv.is_init = True
        self.dropout = nn.Dropout(dropout)

    def pre_logits(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Features (N, mid_channels) before dropout and classifier."""
        return super().pre_logits((self.conv(feats[-1]),))
