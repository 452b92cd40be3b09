"""The classification head of MobileNetV3."""
import torch
from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.cls_heads.pplcnet_head import PPLCNetHead
from lcvision.registry import MODELS


@MODELS.register_module()
class MobileNetV3Head(PPLCNetHead):
    """A 1 x 1 convolution with norm and hard-swish on the map, then what PP-LCNet's head has.

    Args:
        num_classes: Classes.
        in_channels: Channels of the backbone's last map.
        mid_channels: Width of the convolution before pooling: 960 (large) or 576 (small) times the backbone's scale,
            rounded as the backbone's widths are; torchvision has six times ``in_channels`` instead.
        expand_channels: Width of the convolution after pooling. Paddle's is 1280 at every scale, torchvision's 1280
            (large) or 1024 (small) times the scale.
        expand_bias: Whether that convolution has a bias, as torchvision's has.
        dropout: Probability of dropout before the classifier.
        norm_cfg: Norm of the convolution before pooling.
        act_cfg: Activation after both convolutions.
        kwargs: What mmpretrain's ``ClsHead`` takes: loss, topk, cal_acc, init_cfg.

    Shapes: tuple of maps, the last (N, in_channels, H, W) -> (N, num_classes).

    Source: PaddleClas ``MobileNetV3``: ``last_second_conv``, pooling, ``last_conv``, dropout, ``fc``.

    Differs: Paddle's dropout, as in :class:`PPLCNetHead`.
    """

    def __init__(self, num_classes: int, in_channels: int, mid_channels: int, expand_channels: int = 1280,
                 expand_bias: bool = False, dropout: float = 0.2, norm_cfg: dict | None = None,
                 act_cfg: dict | None = None, **kwargs):
        act_cfg = act_cfg or dict(type='HSwish')
        super().__init__(num_classes, mid_channels, expand_channels, dropout, act_cfg, **kwargs)
        self.conv = ConvModule(in_channels, mid_channels, 1, norm_cfg=norm_cfg or dict(type='BN'), act_cfg=act_cfg)
        # BaseModule lets a direct ConvModule child initialise itself again, over what init_cfg has set.
        self.conv.is_init = True
        if expand_bias:
            self.expand = nn.Conv2d(mid_channels, expand_channels, 1)

    def pre_logits(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Features (N, C) before dropout and classifier."""
        return super().pre_logits((self.conv(feats[-1]),))
