"""Cross-entropy that lifts rare classes."""
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lcvision.registry import MODELS


@MODELS.register_module()
class ClassWeightedCrossEntropy(nn.Module):
    """Cross-entropy of segmentation, the mean over the pixels that count, weighted by their classes.

    Args:
        class_weight: One weight for each class, 0 or more; only their ratios matter.
        loss_weight, loss_name: Factor of the loss, and its name in logs; those that begin with 'loss' are trained on.

    Shapes: logits (N, classes, H, W) and labels (N, H, W) -> scalar.

    Differs: mmseg's ``CrossEntropyLoss`` with ``class_weight`` looks up the weight of the ignored label too, and fails
        wherever that is not a class, as 255 is.
    """

    class_weight: torch.Tensor

    def __init__(self, class_weight: Sequence[float], loss_weight: float = 1., loss_name: str = 'loss_ce'):
        super().__init__()
        weights = np.asarray(class_weight, np.float32)
        if weights.ndim != 1 or (weights < 0).any() or not (weights > 0).any():
            raise ValueError(f'ClassWeightedCrossEntropy: class_weight={class_weight} must be one number of 0 or more '
                             'for each class, one of them above 0')
        self.register_buffer('class_weight', torch.tensor(weights), persistent=False)
        self.loss_weight, self.loss_name = loss_weight, loss_name

    def forward(self, cls_score: torch.Tensor, label: torch.Tensor, weight: torch.Tensor | None = None,
                ignore_index: int = 255, **kwargs: Any) -> torch.Tensor:
        """Returns the loss; ``weight`` (N, H, W) is a sampler's, ``kwargs`` are what mmseg gives to other losses."""
        losses = cross_entropy(cls_score.float(), label, self.class_weight, ignore_index=ignore_index, reduction='none')
        shares = self.class_weight[label.where(label != ignore_index, 0)] * (label != ignore_index)
        if weight is not None:
            losses, shares = losses * weight, shares * weight
        return self.loss_weight * losses.sum() / shares.sum().clamp(min=1e-8)
