"""The head of the PP-LCNet paper's PicoDet."""
from collections.abc import Sequence

import numpy as np
import torch
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.utils import reduce_mean
from mmengine.structures import InstanceData
from torch import nn

from lcvision.models.dense_heads.pico_head import PicoHead, flatten_levels
from lcvision.registry import MODELS

# Side of the square anchors that ATSS compares with, in strides.
_ANCHOR_SIZE = 5


@MODELS.register_module()
class PicoHeadGFL(PicoHead):
    """Generalized focal loss with a 5 x 5 depthwise tower for each level (July to September 2021).

    Args:
        num_classes: Object classes.
        in_channels: Channels of every input map, and of the towers.
        stacked_convs: Blocks a tower.
        strides: Stride of each level in pixels.
        reg_max: Largest distance in strides.
        norm_cfg: Norm of the towers.
        act_cfg: Activation of the towers.
        loss_cls: Quality focal loss.
        loss_dfl: Distribution focal loss.
        loss_bbox: Loss of the decoded boxes, in strides.
        train_cfg: ``assigner``.
        test_cfg: See :class:`PicoHead`.
        init_cfg: mmengine initialisation.

    Source: PaddleDetection ``PicoHead(GFLHead)`` at b1186bc822. One 1 x 1 convolution a level predicts classes and
    distances, all its biases start at -log(99).
    """

    def __init__(self, num_classes: int, in_channels: int, stacked_convs: int = 2,
                 strides: Sequence[int] = (8, 16, 32), reg_max: int = 7, norm_cfg: dict | None = None,
                 act_cfg: dict | None = None, loss_cls: dict | None = None, loss_dfl: dict | None = None,
                 loss_bbox: dict | None = None, train_cfg: dict | None = None, test_cfg: dict | None = None,
                 init_cfg: dict | list | None = None):
        super().__init__(num_classes, in_channels, stacked_convs, strides, reg_max, norm_cfg or dict(type='BN'),
                         act_cfg or dict(type='LeakyReLU', negative_slope=0.1), train_cfg, test_cfg, init_cfg)
        self.predictors = nn.ModuleList(
            nn.Conv2d(in_channels, num_classes + 4 * self.num_bins, 1) for _ in self.strides)
        self.loss_cls = MMDET_MODELS.build(loss_cls or dict(type='QualityFocalLoss', beta=2.0, loss_weight=1.0))
        self.loss_dfl = MMDET_MODELS.build(loss_dfl or dict(type='DistributionFocalLoss', loss_weight=0.25))
        self.loss_bbox = MMDET_MODELS.build(loss_bbox or dict(type='GIoULoss', eps=1e-10, loss_weight=2.0))

    def forward(self, feats: Sequence[torch.Tensor]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Returns class logits (N, num_classes, H, W) and distance logits (N, 4 * bins, H, W) of each level."""
        maps = [predictor(tower(feat))
                for feat, tower, predictor in zip(feats, self.towers, self.predictors, strict=True)]
        split = [m.split((self.num_classes, 4 * self.num_bins), 1) for m in maps]
        return [s[0] for s in split], [s[1] for s in split]

    def place(self, boxes: np.ndarray, meta: dict, rescale: bool) -> np.ndarray:
        """Clips boxes to the network's input before they are moved; only this generation does."""
        height, width = meta['img_shape'][:2]
        return super().place(boxes.clip(0, np.array((width, height, width, height), np.float32)), meta, rescale)

    def loss_by_feat(self, cls_scores: list[torch.Tensor], bbox_preds: list[torch.Tensor],
                     batch_gt_instances: list[InstanceData], batch_img_metas: list[dict],
                     batch_gt_instances_ignore: list[InstanceData] | None = None) -> dict[str, torch.Tensor]:
        """Quality focal, GIoU and distribution focal loss of a batch.

        Args:
            cls_scores: Class logits of each level.
            bbox_preds: Distance logits of each level.
            batch_gt_instances: ``bboxes`` in pixels of the network's input, and ``labels``, of each image.
            batch_img_metas: Not used.
            batch_gt_instances_ignore: Not used.

        Returns:
            ``loss_cls``, ``loss_bbox`` and ``loss_dfl``, weighted.
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
        return dict(loss_cls=self.class_loss(logits, labels, quality, avg_factor), loss_bbox=loss_bbox,
                    loss_dfl=loss_dfl)

    def class_loss(self, logits: torch.Tensor, labels: torch.Tensor, quality: torch.Tensor,
                   avg_factor: float) -> torch.Tensor:
        """Loss of the scores of all cells.

        Args:
            logits: (n, num_classes).
            labels: (n,), ``num_classes`` for background.
            quality: (n,) what the score of the labelled class should be, 0 for background.
            avg_factor: What the sum is divided by.
        """
        return self.loss_cls(logits, (labels, quality), avg_factor=avg_factor)

    def targets(self, priors: torch.Tensor, num_level_priors: list[int], batch_gt_instances: list[InstanceData],
                logits: torch.Tensor | None = None,
                distances: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Targets of a batch, which depend on the ground truths alone.

        Args:
            priors: (L, 3) centres and strides.
            num_level_priors: Cells of each level.
            batch_gt_instances: Ground truths of each image.
            logits: Not used.
            distances: Not used.

        Returns:
            See :meth:`PicoHead.gather_targets`.
        """
        half = priors[:, 2:] * _ANCHOR_SIZE / 2
        anchors = InstanceData(priors=torch.cat((priors[:, :2] - half, priors[:, :2] + half), 1))
        return self.gather_targets([self.assigner.assign(anchors, num_level_priors, gts).gt_inds
                                    for gts in batch_gt_instances], batch_gt_instances)
