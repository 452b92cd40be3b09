"""The head of PicoDet v2."""
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import bbox_overlaps
from mmdet.utils import reduce_mean
from mmengine.dist import get_world_size
from mmengine.logging import MessageHub
from mmengine.structures import InstanceData
from torch import nn

from lcvision.models.dense_heads.pico_head import PicoHead, flatten_levels
from lcvision.models.dense_heads.pico_se import PicoSE
from lcvision.registry import MODELS

# Side of the square anchors that the first phase compares with, in strides.
_ANCHOR_SIZE = 5


@MODELS.register_module()
class PicoHeadV2(PicoHead):
    """Class and box predictors behind a gate, and an alignment branch that shares in the score (2022).

    A score is sqrt(sigmoid(class) * sigmoid(alignment) + 1e-9). Training begins with ``initial_assigner``, which
    knows the priors alone, and goes over to ``assigner``, which looks at the predictions, at epoch ``initial_epoch``
    (counted from 0), as mmdet's ``TOODHead`` does; the epoch comes from mmengine's message hub, and outside a runner
    it is 0.

    Args:
        num_classes: Object classes.
        in_channels: Channels of every input map, and of the towers.
        stacked_convs: Blocks a tower.
        strides: Stride of each level in pixels.
        reg_max: Largest distance in strides.
        norm_cfg: Norm of towers, gates and alignment branches.
        act_cfg: Their activation.
        loss_cls: Varifocal loss of the scores.
        loss_dfl: Distribution focal loss.
        loss_bbox: Loss of the decoded boxes, in strides.
        train_cfg: ``initial_epoch``, ``initial_assigner``, ``assigner``, and ``alpha`` and ``beta``, the powers of
            score and IoU in the latter's metric.
        test_cfg: See :class:`PicoHead`.
        init_cfg: mmengine initialisation.

    Source: PaddleDetection ``PicoHeadV2`` at 666f597f (March 2022 and later). The alignment branch is its DPModule with
    one output channel and as many groups, hence a dense 5 x 5 convolution; distances are not aligned.

    Differs: a batch without any target is averaged over 1, where the reference divides by 0.
    """

    def __init__(self, num_classes: int, in_channels: int, stacked_convs: int = 2,
                 strides: Sequence[int] = (8, 16, 32, 64), reg_max: int = 7, norm_cfg: dict | None = None,
                 act_cfg: dict | None = None, loss_cls: dict | None = None, loss_dfl: dict | None = None,
                 loss_bbox: dict | None = None, train_cfg: dict | None = None, test_cfg: dict | None = None,
                 init_cfg: dict | list | None = None):
        cfg = dict(norm_cfg=norm_cfg or dict(type='BN'), act_cfg=act_cfg or dict(type='HSwish'))
        super().__init__(num_classes, in_channels, stacked_convs, strides, reg_max, **cfg, train_cfg=train_cfg,
                         test_cfg=test_cfg, init_cfg=init_cfg)
        self.initial_assigner: Any = TASK_UTILS.build(train_cfg['initial_assigner']) if train_cfg else None
        self.se = nn.ModuleList(PicoSE(in_channels, **cfg) for _ in self.strides)
        self.predictors = nn.ModuleList(nn.Conv2d(in_channels, num_classes, 1) for _ in self.strides)
        self.reg_predictors = nn.ModuleList(nn.Conv2d(in_channels, 4 * self.num_bins, 1) for _ in self.strides)
        self.cls_align = nn.ModuleList(nn.Sequential(OrderedDict(
            dw=ConvModule(in_channels, 1, 5, padding=2, **cfg),
            pw=ConvModule(1, 1, 1, norm_cfg=cfg['norm_cfg'], act_cfg=None))) for _ in self.strides)
        self.loss_cls = MMDET_MODELS.build(loss_cls or dict(type='VarifocalLoss'))
        self.loss_dfl = MMDET_MODELS.build(loss_dfl or dict(type='DistributionFocalLoss', loss_weight=0.5))
        self.loss_bbox = MMDET_MODELS.build(loss_bbox or dict(type='GIoULoss', eps=1e-10, loss_weight=2.5))

    def reset_predictors(self) -> None:
        """Sets gates and alignment branches as well."""
        super().reset_predictors()
        for se, align in zip(self.se, self.cls_align, strict=True):
            nn.init.normal_(se.fc.weight, std=0.001)  # type: ignore[union-attr,arg-type]
            for layer in align.children():
                nn.init.kaiming_uniform_(layer.conv.weight, nonlinearity='relu')  # type: ignore[union-attr,arg-type]

    def forward(self, feats: Sequence[torch.Tensor]) -> tuple[list[torch.Tensor], ...]:
        """Returns class logits (N, num_classes, H, W), distance logits (N, 4 * bins, H, W) and alignment logits
        (N, 1, H, W) of each level."""
        towers = [tower(feat) for feat, tower in zip(feats, self.towers, strict=True)]
        gated = [se(feat) for feat, se in zip(towers, self.se, strict=True)]
        return ([predict(feat) for feat, predict in zip(gated, self.predictors, strict=True)],
                [predict(feat) for feat, predict in zip(gated, self.reg_predictors, strict=True)],
                [align(feat) for feat, align in zip(towers, self.cls_align, strict=True)])

    def cell_scores(self, logits: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        """Class scores of cells, from class and alignment logits; see :meth:`PicoHead.cell_scores`."""
        alignment, = others
        return (logits.sigmoid() * alignment.sigmoid() + 1e-9).sqrt()

    def loss_by_feat(self, cls_scores: list[torch.Tensor], bbox_preds: list[torch.Tensor],
                     alignments: list[torch.Tensor], batch_gt_instances: list[InstanceData],
                     batch_img_metas: list[dict],
                     batch_gt_instances_ignore: list[InstanceData] | None = None) -> dict[str, torch.Tensor]:
        """Varifocal, GIoU and distribution focal loss of a batch.

        Args:
            cls_scores: Class logits of each level.
            bbox_preds: Distance logits of each level.
            alignments: Alignment logits of each level.
            batch_gt_instances: ``bboxes`` in pixels of the network's input, and ``labels``, of each image.
            batch_img_metas: Not used.
            batch_gt_instances_ignore: Not used.

        Returns:
            ``loss_cls``, ``loss_bbox`` and ``loss_dfl``, weighted.
        """
        priors = self.priors(cls_scores)
        scores, logits = self.scores(cls_scores, bbox_preds, alignments), flatten_levels(bbox_preds)
        with torch.no_grad():
            cells, labels, boxes, quality = self.targets(
                priors, [m[0, 0].numel() for m in cls_scores], scores, self.decode(logits, priors), batch_gt_instances)
        total = self._average(quality.sum())
        wanted = torch.zeros_like(scores).flatten(0, 1)
        wanted[cells, labels] = quality
        # The loss takes logits: those of the fused score make it the reference's, which takes probabilities.
        loss_cls = self.loss_cls(scores.flatten(0, 1).logit(eps=1e-7), wanted, avg_factor=total)
        loss_bbox, loss_dfl, _ = self.box_losses(
            logits.flatten(0, 1)[cells], priors[cells % len(priors)], boxes, quality, total)
        return dict(loss_cls=loss_cls, loss_bbox=loss_bbox, loss_dfl=loss_dfl)

    def targets(self, priors: torch.Tensor, num_level_priors: list[int], scores: torch.Tensor, boxes: torch.Tensor,
                batch_gt_instances: list[InstanceData]) -> tuple[torch.Tensor, ...]:
        """Targets of a batch in the present phase.

        Args:
            priors: (L, 3) centres and strides.
            num_level_priors: Cells of each level.
            scores: (N, L, num_classes).
            boxes: (N, L, 4) decoded boxes in pixels.
            batch_gt_instances: Ground truths of each image.

        Returns:
            For the P positive cells of all images their indices in N * L, labels, boxes (P, 4) in pixels, and target
            scores: the IoU of prediction and ground truth in the first phase, later the metric, scaled so that the
            best of a ground truth has its best IoU.
        """
        half = priors[:, 2:] * _ANCHOR_SIZE / 2
        anchors = torch.cat((priors[:, :2] - half, priors[:, :2] + half), 1)
        epoch = MessageHub.get_current_instance().get_info('epoch') or 0
        cfg = self.train_cfg or {}
        initial = epoch < cfg['initial_epoch']
        found = []
        for image, (score, box, gts) in enumerate(zip(scores, boxes, batch_gt_instances, strict=True)):
            if initial:
                assigned = self.initial_assigner.assign(InstanceData(priors=anchors), num_level_priors, gts)
            else:
                assigned = self.assigner.assign(
                    InstanceData(priors=anchors, bboxes=box, scores=score), gts,
                    alpha=cfg.get('alpha', 1), beta=cfg.get('beta', 6))
            cells = assigned.gt_inds.nonzero().squeeze(1)
            owner = assigned.gt_inds[cells] - 1
            wanted = gts.bboxes[owner].to(box.dtype)
            quality = bbox_overlaps(box[cells], wanted, is_aligned=True)
            if not initial:
                quality = _align(assigned, cells, owner, quality)
            found.append((cells + image * len(priors), gts.labels[owner], wanted, quality))
        return tuple(torch.cat(parts) for parts in zip(*found, strict=True))

    def _average(self, total: torch.Tensor) -> torch.Tensor:
        if get_world_size() > 1:
            return reduce_mean(total).clamp(min=1)
        return torch.where(total > 0, total, 1.)


def _align(assigned: AssignResult, cells: torch.Tensor, owner: torch.Tensor, overlaps: torch.Tensor) -> torch.Tensor:
    """Target scores of task-aligned positives: metrics over their ground truth's best, times its best IoU."""
    metrics = assigned.assign_metrics[cells]
    nothing = metrics.new_zeros(assigned.num_gts)
    best_metric = nothing.scatter_reduce(0, owner, metrics, 'amax')
    best_overlap = nothing.scatter_reduce(0, owner, overlaps, 'amax')
    return metrics / (best_metric[owner] + 1e-9) * best_overlap[owner]
