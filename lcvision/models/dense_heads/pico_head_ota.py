"""The head of the October 2021 PicoDet."""
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import InstanceData

from lcvision.models.dense_heads.pico_head_gfl import PicoHeadGFL
from lcvision.registry import MODELS


@MODELS.register_module()
class PicoHeadOTA(PicoHeadGFL):
    """Varifocal loss on targets that follow the predictions.

    Args:
        kwargs: See :class:`PicoHead`, like the others; ``assigner`` may be :class:`PicoSimOTAAssigner`.

    Source: PaddleDetection ``PicoHead(OTAVFLHead)`` at 666f597f, whose layers are those of September 2021 with other
    widths and activations. Boxes are not clipped. mmdet's varifocal, distribution focal and GIoU losses are equal to
    the reference's.

    Differs: on several devices both normalisers are averaged over them. The reference meant to, but each device uses
    its own count of positives and divides the normaliser of the box losses by the number of devices, so that on its 4
    GPUs these weighed 4 times as much (GIoU 8 and DFL 1) as on one.
    """

    clips = False

    def __init__(self, num_classes: int, in_channels: int, stacked_convs: int = 4,
                 strides: Sequence[int] = (8, 16, 32, 64), act_cfg: dict | None = None, loss_cls: dict | None = None,
                 **kwargs: Any):
        super().__init__(num_classes, in_channels, stacked_convs, strides, act_cfg or dict(type='HSwish'),
                         loss_cls or dict(type='VarifocalLoss'), **kwargs)

    def class_loss(self, logits: torch.Tensor, labels: torch.Tensor, quality: torch.Tensor,
                   avg_factor: float) -> torch.Tensor:
        """Loss of the scores of all cells; see :meth:`PicoHeadGFL.class_loss`."""
        # The last column is background, whose quality is 0.
        target = logits.new_zeros(len(labels), self.num_classes + 1)
        target.scatter_(1, labels[:, None], quality[:, None])
        return self.loss_cls(logits, target[:, :-1], avg_factor=avg_factor)

    @torch.no_grad()
    def targets(self, priors: torch.Tensor, num_level_priors: list[int], batch_gt_instances: list[InstanceData],
                logits: torch.Tensor | None = None,
                distances: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Targets of a batch for its present predictions; see :meth:`PicoHeadGFL.targets`."""
        if logits is None or distances is None:
            raise ValueError('PicoHeadOTA.targets: SimOTA needs the predictions: give logits and distances')
        scores, boxes = logits.sigmoid(), self.decode(distances, priors)
        return self.gather_targets(
            [self.assigner.assign(InstanceData(priors=priors, bboxes=box, scores=score), gts).gt_inds
             for box, score, gts in zip(boxes, scores, batch_gt_instances, strict=True)], batch_gt_instances)
