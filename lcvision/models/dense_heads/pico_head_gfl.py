"""The heads of the PP-LCNet paper's PicoDet and of that of October 2021, which differ in what cells are trained on."""
from collections.abc import Sequence
from typing import Any

import torch
from mmdet.utils import reduce_mean
from mmengine.structures import InstanceData
from torch import nn

from lcvision.models.dense_heads.pico_head import PicoHead, flatten_levels
from lcvision.registry import MODELS


@MODELS.register_module()
class PicoHeadGFL(PicoHead):
    """Generalized focal loss with a 5 x 5 depthwise tower for each level (July to September 2021).

    Its arguments are those of :class:`PicoHead`.

    Source: PaddleDetection ``PicoHead(GFLHead)`` at b1186bc822. One 1 x 1 convolution a level predicts classes and
    distances, all its biases start at -log(99). Boxes are clipped, in this generation alone.
    """

    clips = True

    def __init__(self, num_classes: int, in_channels: int, stacked_convs: int = 2, strides: Sequence[int] = (8, 16, 32),
                 act_cfg: dict | None = None, loss_cls: dict | None = None, loss_dfl: dict | None = None,
                 loss_bbox: dict | None = None, **kwargs: Any):
        super().__init__(
            num_classes, in_channels, stacked_convs, strides, act_cfg or dict(type='LeakyReLU', negative_slope=0.1),
            loss_cls or dict(type='QualityFocalLoss', beta=2.0, loss_weight=1.0),
            loss_dfl or dict(type='DistributionFocalLoss', loss_weight=0.25),
            loss_bbox or dict(type='GIoULoss', eps=1e-10, loss_weight=2.0), **kwargs)
        self.predictors = nn.ModuleList(
            nn.Conv2d(in_channels, num_classes + 4 * self.num_bins, 1) for _ in self.strides)

    def forward(self, feats: Sequence[torch.Tensor]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        maps = [predictor(tower(feat)).split((self.num_classes, 4 * self.num_bins), 1)
                for feat, tower, predictor in zip(feats, self.towers, self.predictors, strict=True)]
        return [scores for scores, _ in maps], [distances for _, distances in maps]

    def loss_by_feat(self, cls_scores: list[torch.Tensor], bbox_preds: list[torch.Tensor],
                     batch_gt_instances: list[InstanceData], batch_img_metas: list[dict],
                     batch_gt_instances_ignore: list[InstanceData] | None = None) -> dict[str, torch.Tensor]:
        """Losses of a batch from class logits and distance logits of each level.

        Ground truths are ``bboxes`` in pixels of the network's input and ``labels``; the other arguments are not used.
        """
        priors, counts = self.priors(cls_scores), [m[0, 0].numel() for m in cls_scores]
        logits, distances = flatten_levels(cls_scores), flatten_levels(bbox_preds)
        labels, boxes, num_pos = self.targets(priors, counts, batch_gt_instances, logits, distances)
        logits, distances = logits.flatten(0, 1), distances.flatten(0, 1)
        positive = (labels < self.num_classes).nonzero().squeeze(1)
        weight = logits[positive].detach().amax(1).sigmoid()
        loss_bbox, loss_dfl, overlaps = self.box_losses(
            distances[positive], priors[positive % len(priors)], boxes[positive], weight,
            reduce_mean(weight.sum()).clamp(min=1))
        quality = logits.new_zeros(len(labels))
        quality[positive] = overlaps
        avg_factor = max(reduce_mean(logits.new_tensor(float(num_pos))).item(), 1.0)
        loss_cls = self.class_loss(logits, labels, quality, avg_factor)
        return dict(loss_cls=loss_cls, loss_bbox=loss_bbox, loss_dfl=loss_dfl)

    def class_loss(self, logits: torch.Tensor, labels: torch.Tensor, quality: torch.Tensor,
                   avg_factor: float) -> torch.Tensor:
        """Loss of the scores of all cells, from ``logits`` (n, num_classes) and what each of n labels should score.

        Background has the label ``num_classes`` and the ``quality`` 0; ``avg_factor`` divides the sum.
        """
        return self.loss_cls(logits, (labels, quality), avg_factor=avg_factor)

    def targets(self, priors: torch.Tensor, num_level_priors: list[int], batch_gt_instances: list[InstanceData],
                logits: torch.Tensor | None = None,
                distances: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Targets of a batch as :meth:`PicoHead.gather_targets` returns them, for ``priors`` (L, 3) of all levels.

        ``logits`` (N, L, num_classes) and ``distances`` (N, L, 4 * bins) are what is predicted; not used here.
        """
        anchors = InstanceData(priors=self.anchors(priors))
        return self.gather_targets([self.assigner.assign(anchors, num_level_priors, gts).gt_inds
                                    for gts in batch_gt_instances], batch_gt_instances)


@MODELS.register_module()
class PicoHeadOTA(PicoHeadGFL):
    """Varifocal loss on targets that follow the predictions; ``assigner`` may be :class:`PicoSimOTAAssigner`.

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
        # The last column is background, whose quality is 0.
        target = logits.new_zeros(len(labels), self.num_classes + 1)
        target.scatter_(1, labels[:, None], quality[:, None])
        return self.loss_cls(logits, target[:, :-1], avg_factor=avg_factor)

    @torch.no_grad()
    def targets(self, priors: torch.Tensor, num_level_priors: list[int], batch_gt_instances: list[InstanceData],
                logits: torch.Tensor | None = None,
                distances: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor, int]:
        if logits is None or distances is None:
            raise ValueError('PicoHeadOTA.targets: SimOTA needs the predictions: give logits and distances')
        scores, boxes = logits.sigmoid(), self.decode(distances, priors)
        return self.gather_targets(
            [self.assigner.assign(InstanceData(priors=priors, bboxes=box, scores=score), gts).gt_inds
             for box, score, gts in zip(boxes, scores, batch_gt_instances, strict=True)], batch_gt_instances)
