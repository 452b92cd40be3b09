"""The head of the October 2021 PicoDet."""
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData

from lcvision.models.dense_heads.pico_head import PicoHead
from lcvision.models.dense_heads.pico_head_gfl import PicoHeadGFL
from lcvision.registry import MODELS


@MODELS.register_module()
class PicoHeadOTA(PicoHeadGFL):
    """Varifocal loss on targets that follow the predictions.

    Args:
        num_classes: Object classes.
        in_channels: Channels of every input map, and of the towers.
        stacked_convs: Blocks a tower.
        strides: Stride of each level in pixels.
        reg_max: Largest distance in strides.
        norm_cfg: Norm of the towers.
        act_cfg: Activation of the towers.
        loss_cls: Varifocal loss.
        loss_dfl: Distribution focal loss.
        loss_bbox: Loss of the decoded boxes, in strides.
        train_cfg: ``assigner``, such as :class:`PicoSimOTAAssigner`.
        test_cfg: See :class:`PicoHead`.
        init_cfg: mmengine initialisation.

    Source: PaddleDetection ``PicoHead(OTAVFLHead)`` at 666f597f, whose layers are those of September 2021 with other
    widths and activations. Boxes are not clipped. mmdet's varifocal, distribution focal and GIoU losses are equal to
    the reference's.

    Differs: on several devices both normalisers are averaged over them. The reference meant to, but keeps its own count
    of positives and divides the box losses' by the number of devices, so that on its 4 GPUs these weighed 4 times
    as much (GIoU 8 and DFL 1) as on one.
    """

    def __init__(self, num_classes: int, in_channels: int, stacked_convs: int = 4,
                 strides: Sequence[int] = (8, 16, 32, 64), reg_max: int = 7, norm_cfg: dict | None = None,
                 act_cfg: dict | None = None, loss_cls: dict | None = None, loss_dfl: dict | None = None,
                 loss_bbox: dict | None = None, train_cfg: dict | None = None, test_cfg: dict | None = None,
                 init_cfg: dict | list | None = None):
        super().__init__(num_classes, in_channels, stacked_convs, strides, reg_max, norm_cfg,
                         act_cfg or dict(type='HSwish'), loss_cls or dict(type='VarifocalLoss'), loss_dfl, loss_bbox,
                         train_cfg, test_cfg, init_cfg)

    def place(self, boxes: np.ndarray, meta: dict, rescale: bool) -> np.ndarray:
        """Moves boxes (L, 4) from the network's input to the image they belong to, without clipping them."""
        return PicoHead.place(self, boxes, meta, rescale)

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
        """Targets of a batch for its present predictions.

        Args:
            priors: (L, 3) centres and strides.
            num_level_priors: Not used.
            batch_gt_instances: Ground truths of each image.
            logits: (N, L, num_classes).
            distances: (N, L, 4 * bins).

        Returns:
            See :meth:`PicoHead.gather_targets`.
        """
        if logits is None or distances is None:
            raise ValueError('PicoHeadOTA.targets: SimOTA needs the predictions, give logits and distances')
        scores, boxes = logits.sigmoid(), self.decode(distances, priors)
        return self.gather_targets(
            [self.assigner.assign(InstanceData(priors=priors, bboxes=box, scores=score), gts).gt_inds
             for box, score, gts in zip(boxes, scores, batch_gt_instances, strict=True)], batch_gt_instances)
