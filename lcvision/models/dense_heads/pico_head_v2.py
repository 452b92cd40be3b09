"""The head of PicoDet v2."""
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import bbox_overlaps
from mmdet.utils import reduce_mean
from mmengine.dist import get_world_size
from mmengine.logging import MessageHub
from mmengine.structures import InstanceData
from torch import nn

from lcvision.models.dense_heads.pico_head import PicoHead, flatten_levels
from lcvision.registry import MODELS


class PicoSE(nn.Module):
    """Scales every channel by a gate computed from the global means of all channels, then mixes the channels.

    Source: PaddleDetection ``PicoSE`` at 666f597f: one convolution and a true sigmoid, where PP-LCNet's
    squeeze-excite has two and a hard one.
    """

    def __init__(self, channels: int, norm_cfg: dict, act_cfg: dict):
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)
        self.conv = ConvModule(channels, channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x * self.fc(x.mean((2, 3), keepdim=True)).sigmoid())


@MODELS.register_module()
class PicoHeadV2(PicoHead):
    """Class and box predictors behind a gate, and an alignment branch that shares in the score (2022).

    A score is sqrt(sigmoid(class) * sigmoid(alignment) + 1e-9). Training begins with ``initial_assigner``, which knows
    only the priors, and goes over to ``assigner``, which looks at the predictions, at epoch ``initial_epoch`` (counted
    from 0), as mmdet's ``TOODHead`` does; the epoch comes from mmengine's message hub and is 0 outside a runner.

    Args:
        train_cfg: ``initial_epoch``, ``initial_assigner``, ``assigner``, and ``alpha`` and ``beta``, the powers of
            score and IoU in the latter's metric. For the others see :class:`PicoHead`.

    Source: PaddleDetection ``PicoHeadV2`` at 666f597f (March 2022 and later). The alignment branch is its DPModule with
    one output channel and as many groups, hence a dense 5 x 5 convolution; distances are not aligned.

    Differs: a batch without any target is averaged over 1, where the reference divides by 0.
    """

    def __init__(self, num_classes: int, in_channels: int, stacked_convs: int = 2,
                 strides: Sequence[int] = (8, 16, 32, 64), act_cfg: dict | None = None, loss_cls: dict | None = None,
                 loss_dfl: dict | None = None, loss_bbox: dict | None = None, train_cfg: dict | None = None,
                 **kwargs: Any):
        super().__init__(
            num_classes, in_channels, stacked_convs, strides, act_cfg or dict(type='HSwish'),
            loss_cls or dict(type='VarifocalLoss'), loss_dfl or dict(type='DistributionFocalLoss', loss_weight=0.5),
            loss_bbox or dict(type='GIoULoss', eps=1e-10, loss_weight=2.5), train_cfg=train_cfg, **kwargs)
        self.initial_assigner: Any = TASK_UTILS.build(train_cfg['initial_assigner']) if train_cfg else None
        self.se = nn.ModuleList(PicoSE(in_channels, **self.layer_cfg) for _ in self.strides)
        self.predictors = nn.ModuleList(nn.Conv2d(in_channels, num_classes, 1) for _ in self.strides)
        self.reg_predictors = nn.ModuleList(nn.Conv2d(in_channels, 4 * self.num_bins, 1) for _ in self.strides)
        self.cls_align = nn.ModuleList(nn.Sequential(OrderedDict(
            dw=ConvModule(in_channels, 1, 5, padding=2, **self.layer_cfg),
            pw=ConvModule(1, 1, 1, norm_cfg=self.layer_cfg['norm_cfg'], act_cfg=None))) for _ in self.strides)

    def reset_predictors(self) -> None:
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
        alignment, = others
        return (logits.sigmoid() * alignment.sigmoid() + 1e-9).sqrt()

    def loss_by_feat(self, cls_scores: list[torch.Tensor], bbox_preds: list[torch.Tensor],
                     alignments: list[torch.Tensor], batch_gt_instances: list[InstanceData],
                     batch_img_metas: list[dict],
                     batch_gt_instances_ignore: list[InstanceData] | None = None) -> dict[str, torch.Tensor]:
        """Varifocal, GIoU and distribution focal loss of a batch; see :meth:`PicoHeadGFL.loss_by_feat`."""
        priors = self.priors(cls_scores)
        scores, logits = self.scores(cls_scores, bbox_preds, alignments), flatten_levels(bbox_preds)
        with torch.no_grad():
            cells, labels, boxes, quality = self.targets(
                priors, [m[0, 0].numel() for m in cls_scores], scores, self.decode(logits, priors), batch_gt_instances)
        total = quality.sum()
        total = reduce_mean(total).clamp(min=1) if get_world_size() > 1 else torch.where(total > 0, total, 1.)
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
            priors, num_level_priors, batch_gt_instances: See :meth:`PicoHeadGFL.targets`.
            scores, boxes: (N, L, num_classes), and (N, L, 4) decoded and in pixels.

        Returns:
            For the P positive cells of all images their indices in N * L, labels, boxes (P, 4) in pixels, and target
            scores: the IoU of prediction and ground truth in the first phase, later the metric, scaled so that the
            best of a ground truth has its best IoU.
        """
        anchors = self.anchors(priors)
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


def _align(assigned: AssignResult, cells: torch.Tensor, owner: torch.Tensor, overlaps: torch.Tensor) -> torch.Tensor:
    """Target scores of task-aligned positives: metrics over their ground truth's best, times its best IoU."""
    metrics = assigned.assign_metrics[cells]
    nothing = metrics.new_zeros(assigned.num_gts)
    best_metric = nothing.scatter_reduce(0, owner, metrics, 'amax')
    best_overlap = nothing.scatter_reduce(0, owner, overlaps, 'amax')
    return metrics / (best_metric[owner] + 1e-9) * best_overlap[owner]
