"""The classification head of PP-LCNet."""
import torch
from mmcv.cnn import build_activation_layer
from mmpretrain.models.heads import ClsHead
from torch import nn

from lcvision.registry import MODELS


@MODELS.register_module()
class PPLCNetHead(ClsHead):
    """Global average pooling, a 1 x 1 convolution to 1280, activation, dropout, linear classifier.

    Args:
        num_classes: Classes.
        in_channels: Channels of the backbone's last map.
        expand_channels: Width of the 1 x 1 convolution; it does not scale with the backbone. None leaves out
            convolution, activation and dropout, as in the paper's tables 6 and 9.
        dropout: Probability of dropout before the classifier.
        act_cfg: Activation after the convolution.
        kwargs: What mmpretrain's ``ClsHead`` takes: loss, topk, cal_acc, init_cfg.

    Shapes: tuple of maps, the last (N, in_channels, H, W) -> (N, num_classes).

    Raises:
        ValueError: If ``num_classes`` is below 1 or ``dropout`` is no probability.

    Source: PP-LCNet, figure 2, and PaddleClas: the convolution has neither bias nor norm.

    Differs: Paddle's dropout multiplies by 1 - p at inference instead of dividing by it in training. Here it is the
    usual dropout, and the converter folds the factor into the classifier's weight: equal in both modes. The initial
    weights are not scaled, so a training from scratch starts with 1 / (1 - p) = 1.25 times Paddle's logits.
    """

    def __init__(self, num_classes: int, in_channels: int, expand_channels: int | None = 1280, dropout: float = 0.2,
                 act_cfg: dict | None = None, **kwargs):
        if num_classes < 1:
            raise ValueError(f'{type(self).__name__}: num_classes={num_classes} must be at least 1')
        if not 0 <= dropout <= 1:
            raise ValueError(f'{type(self).__name__}: dropout={dropout} must lie in 0..1; 0 drops nothing')
        # Named with its scope, so that the head is built alike under mmdet's or no default scope.
        kwargs.setdefault('loss', dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0))
        kwargs.setdefault('init_cfg', [
            dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='relu'),
            dict(type='Xavier', layer='Linear', distribution='uniform'),
        ])
        super().__init__(**kwargs)
        self.expand: nn.Module = nn.Identity()
        self.act: nn.Module = nn.Identity()
        self.dropout: nn.Module = nn.Identity()
        if expand_channels:
            self.expand = nn.Conv2d(in_channels, expand_channels, 1, bias=False)
            self.act = build_activation_layer(act_cfg or dict(type='HSwish'))
            self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(expand_channels or in_channels, num_classes)

    def pre_logits(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Features (N, C) before dropout and classifier."""
        return self.act(self.expand(feats[-1].mean((2, 3), keepdim=True))).flatten(1)

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Logits (N, num_classes)."""
        return self.fc(self.dropout(self.pre_logits(feats)))
