"""How PicoDet's references assign ground truths to cells; mmdet's assigners of these names give other targets.

Each takes one image: ``gt_instances`` has ``bboxes`` (g, 4) in pixels and ``labels`` (g,); ``gt_instances_ignore`` is
not used. In the result ``gt_inds`` (n,) are 0 for background or 1 plus the ground truth's index.
"""
from typing import NamedTuple

import torch
from mmdet.models.task_modules.assigners import AssignResult, BaseAssigner, TaskAlignedAssigner
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData

from lcvision.registry import TASK_UTILS

# What a cell costs a ground truth when it is not both inside its box and near its centre.
_OUTSIDE = 1e8
# Share of a negative class in the varifocal loss.
_ALPHA = 0.75


class _Rules(NamedTuple):
    correction: int  # of the standard deviation: 0 is the population's, 1 the sample's
    smallest_distance: float  # in pixels, of a positive centre from every side of its box
    reaching: bool  # whether an IoU equal to the threshold is enough
    any_owner: bool  # whether a contested anchor may go to a ground truth that does not claim it


_VERSIONS = {'2021': _Rules(correction=0, smallest_distance=0.01, reaching=True, any_owner=False),
             '2022': _Rules(correction=1, smallest_distance=1e-9, reaching=False, any_owner=True)}


@TASK_UTILS.register_module()
class PicoATSSAssigner(BaseAssigner):
    """Adaptive training sample selection over square anchors.

    For each ground truth the ``topk`` nearest anchors of every level are candidates; those whose IoU reaches mean plus
    standard deviation of the candidates' IoUs and whose centre lies inside are positive. An anchor that several
    ground truths claim goes to the one of highest IoU.

    Args:
        topk: Candidates a level and ground truth.
        version: ``'2021'`` for the paper's PicoDet, ``'2022'`` for v2. They differ in which deviation it is, how far
            inside a centre must lie, whether the threshold itself is enough, and who may get a contested anchor.

    Source: PaddleDetection ``Gt2GFLTarget`` at b1186bc822, and ``ATSSAssigner`` at 666f597f.

    Differs: from mmdet's ``ATSSAssigner``, which has the deviation of 2022 and the other rules of 2021. The fixtures
        show the deviation of 2021; those of v2 show no difference, but on COCO at 416 pixels 1 positive in 300 is
        another one, and mmdet's takes three times as long.
    """

    def __init__(self, topk: int = 9, version: str = '2021'):
        if topk < 1:
            raise ValueError(f'PicoATSSAssigner: topk={topk} must be at least 1')
        if version not in _VERSIONS:
            raise ValueError(f'PicoATSSAssigner: version={version!r} must be one of {", ".join(map(repr, _VERSIONS))}')
        self.topk = topk
        self.rules = _VERSIONS[version]

    def assign(self, pred_instances: InstanceData, num_level_priors: list[int], gt_instances: InstanceData,
               gt_instances_ignore: InstanceData | None = None) -> AssignResult:
        """Assigns anchors.

        Args:
            pred_instances: ``priors`` are the anchors, (n, 4) as x1, y1, x2, y2 in pixels.
            num_level_priors: Anchors of each level, in the order of ``priors``.
        """
        anchors, boxes = pred_instances.priors, gt_instances.bboxes
        assigned = _background(anchors, gt_instances)
        if len(boxes) == 0:
            return assigned
        claims = self._claims(anchors, boxes, num_level_priors)
        best, owner = claims.max(0)
        if self.rules.any_owner:
            contested = ((claims >= 0).sum(0) > 1).nonzero().squeeze(1)
            best[contested], owner[contested] = bbox_overlaps(boxes, anchors[contested]).max(0)
        positive = best >= 0
        return _owned(assigned, positive, owner[positive], best[positive], gt_instances)

    def _claims(self, anchors: torch.Tensor, boxes: torch.Tensor, num_level_priors: list[int]) -> torch.Tensor:
        """IoUs (g, n) of ground truths with the anchors they claim, -1 elsewhere."""
        centres = (anchors[:, :2] + anchors[:, 2:]) / 2
        candidates = self._candidates(centres, (boxes[:, :2] + boxes[:, 2:]) / 2, num_level_priors)
        overlaps = bbox_overlaps(anchors[candidates].flatten(0, 1),
                                 boxes.repeat_interleave(candidates.shape[1], 0), is_aligned=True)
        overlaps = overlaps.view(len(boxes), -1)
        threshold = overlaps.mean(1, True) + overlaps.std(1, correction=self.rules.correction, keepdim=True)
        chosen = overlaps >= threshold if self.rules.reaching else overlaps > threshold
        near = centres[candidates]
        inside = torch.cat((near - boxes[:, None, :2], boxes[:, None, 2:] - near), -1).amin(-1)
        chosen &= inside > self.rules.smallest_distance
        claims = anchors.new_full((len(boxes), len(anchors)), -1.)
        return claims.scatter_(1, candidates, torch.where(chosen, overlaps, -1.))

    def _candidates(self, centres: torch.Tensor, gt_centres: torch.Tensor, num_level_priors: list[int]) -> torch.Tensor:
        """Indices (g, k) of the nearest anchors of all levels."""
        indices, start = [], 0
        for count in num_level_priors:
            level = centres[start:start + count]
            distances = torch.cdist(gt_centres, level, compute_mode='donot_use_mm_for_euclid_dist')
            indices.append(distances.topk(min(self.topk, count), dim=1, largest=False).indices + start)
            start += count
        return torch.cat(indices, 1)


@TASK_UTILS.register_module()
class PicoSimOTAAssigner(BaseAssigner):
    """Gives every ground truth its cheapest cells, as many as its best predictions add up to in IoU.

    Candidates are the cells inside any box or near any centre. The cost of a candidate for a ground truth is the
    varifocal loss of its scores, plus ``iou_weight`` times 1 - GIoU, plus a prohibitive amount unless it is inside the
    box and near the centre of this very ground truth. A cell that several ground truths choose goes to the one, of
    all, for which it is cheapest.

    Args:
        center_radius: How far from a centre a cell is near, along each axis, in strides of the cell.
        candidate_topk: Predictions whose IoUs are added up for a ground truth.
        iou_weight, cls_weight: Weights of boxes and scores in the cost.

    Source: PaddleDetection ``SimOTAAssigner`` with ``use_vfl`` at 666f597f.

    Differs: from mmdet's ``SimOTAAssigner`` in the cost, which the fixtures show: 1 - GIoU for -log IoU, the varifocal
    loss towards the IoU for the cross entropy towards one, and 1e8 for 1e5 outside.
    """

    def __init__(self, center_radius: float = 2.5, candidate_topk: int = 10, iou_weight: float = 6.0,
                 cls_weight: float = 1.0):
        if not center_radius > 0 or candidate_topk < 1 or min(iou_weight, cls_weight) < 0:
            raise ValueError(
                f'PicoSimOTAAssigner: center_radius={center_radius} must be above 0, candidate_topk={candidate_topk} '
                f'at least 1, iou_weight={iou_weight} and cls_weight={cls_weight} not negative')
        self.center_radius, self.candidate_topk = center_radius, candidate_topk
        self.iou_weight, self.cls_weight = iou_weight, cls_weight

    @torch.no_grad()
    def assign(self, pred_instances: InstanceData, gt_instances: InstanceData,
               gt_instances_ignore: InstanceData | None = None) -> AssignResult:
        """Assigns cells; ``max_overlaps`` are the IoUs of positive cells' predictions with their ground truths.

        Args:
            pred_instances: ``priors`` (n, 3 or more) with centre and stride in pixels, ``bboxes`` (n, 4) in pixels and
                ``scores`` (n, classes) in 0..1 of every cell.
        """
        priors, gt_boxes, gt_labels = pred_instances.priors.float(), gt_instances.bboxes.float(), gt_instances.labels
        assigned = _background(priors, gt_instances)
        inside, near = self._geometry(priors, gt_boxes)
        candidate = (inside | near).any(0).nonzero().squeeze(1)
        if len(candidate) == 0:
            return assigned
        boxes = pred_instances.bboxes[candidate].float()
        ious = bbox_overlaps(gt_boxes, boxes, eps=1e-6)
        cost = (self.cls_weight * varifocal_cost(pred_instances.scores[candidate].float(), gt_labels, ious)
                + self.iou_weight * (1 - bbox_overlaps(gt_boxes, boxes, mode='giou', eps=1e-6))
                + _OUTSIDE * ~(inside & near)[:, candidate])
        chosen = self._cheapest(cost, ious)
        owner = torch.where(chosen.sum(0) > 1, cost.argmin(0), chosen.int().argmax(0))
        positive = chosen.any(0)
        owner = owner[positive]
        overlaps = ious[owner, positive.nonzero().squeeze(1)]
        return _owned(assigned, candidate[positive], owner, overlaps, gt_instances)

    def _geometry(self, priors: torch.Tensor, gt_boxes: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Whether each cell (g, n) is inside each box, and near its centre."""
        points, reach = priors[:, :2], self.center_radius * priors[:, 2:3]
        low, high = gt_boxes[:, None, :2], gt_boxes[:, None, 2:]
        centre = (low + high) / 2
        # The edges of the centre box are rounded as the reference rounds them.
        return tuple(((points > first) & (points < last)).all(-1)
                     for first, last in ((low, high), (centre - reach, centre + reach)))

    def _cheapest(self, cost: torch.Tensor, ious: torch.Tensor) -> torch.Tensor:
        """Marks (g, n) the cheapest cells of each ground truth."""
        top = ious.topk(min(self.candidate_topk, ious.shape[1]), 1).values
        counts = top.sum(1).int().clamp(min=1)
        chosen = torch.zeros_like(cost, dtype=torch.bool)
        # One call for each count: which of several equal costs is taken depends on it.
        for count in counts.unique().tolist():
            rows = (counts == count).nonzero()
            chosen[rows, cost[rows.squeeze(1)].topk(count, 1, largest=False).indices] = True
        return chosen


def varifocal_cost(scores: torch.Tensor, gt_labels: torch.Tensor, ious: torch.Tensor) -> torch.Tensor:
    """Varifocal loss (g, n) of every candidate's scores (n, classes), were it assigned to every ground truth.

    It is summed over classes, of which the negative ones have the same sum for all ground truths, so that no
    (g, n, classes) array is made. The target of a class is its IoU (g, n), and one of zero makes it a negative.
    """
    negative = -_ALPHA * scores.square() * _log(1 - scores)
    score = scores.T[gt_labels]
    positive = -(ious * _log(score) + (1 - ious) * _log(1 - score)) * ious
    return negative.sum(1) + torch.where(ious > 0, positive - negative.T[gt_labels], 0.)


def _log(x: torch.Tensor) -> torch.Tensor:
    # The bound is that of a binary cross entropy, the reference's and torch's. Unlike torch's, this lets predictions
    # that are not finite through, so that the loss shows them.
    return x.log().clamp(min=-100)


@TASK_UTILS.register_module()
class PicoTaskAlignedAssigner(TaskAlignedAssigner):
    """Assigns each ground truth the predictions that both classify and locate it best.

    Among the cells whose centre lies inside a ground truth, the ``topk`` of highest score ** alpha * IoU ** beta are
    positive. A cell that several ground truths claim goes to the one of highest IoU, claiming or not.

    Source: PaddleDetection ``TaskAlignedAssigner`` at 666f597f.

    Differs: from mmdet's ``TaskAlignedAssigner``, as the fixtures show (7 of 83 positives): that one takes the
    ``topk`` of all cells and drops those outside afterwards, so a ground truth gets fewer. Besides, the owner of a
    contested cell is sought among all ground truths, not among those that claim it.
    """

    def __init__(self, topk: int = 13, iou_calculator: dict | None = None):
        if topk < 1:
            raise ValueError(f'PicoTaskAlignedAssigner: topk={topk} must be at least 1')
        super().__init__(topk, iou_calculator or dict(type='BboxOverlaps2D'))

    @torch.no_grad()
    def assign(self, pred_instances: InstanceData, gt_instances: InstanceData,
               gt_instances_ignore: InstanceData | None = None, alpha: float = 1, beta: float = 6) -> AssignResult:
        """Assigns predictions; ``assign_metrics`` (n,) are score ** alpha * IoU ** beta of positives.

        Args:
            pred_instances: ``priors`` (n, 4) as x1, y1, x2, y2 of which the centres count, decoded ``bboxes`` (n, 4),
                both in pixels, and ``scores`` (n, classes) in 0..1.
            alpha, beta: Powers of the score and of the IoU.
        """
        priors, boxes, labels = pred_instances.priors, gt_instances.bboxes, gt_instances.labels
        assigned = _background(priors, gt_instances)
        assigned.assign_metrics = priors.new_zeros(len(priors))
        if len(boxes) == 0 or len(priors) == 0:
            return assigned
        overlaps = self.iou_calculator(boxes, pred_instances.bboxes)
        metrics = pred_instances.scores.T[labels] ** alpha * overlaps ** beta
        centres = (priors[:, :2] + priors[:, 2:4]) / 2
        # The reference's smallest distance, in pixels, of a candidate's centre from every side of its box.
        inside = torch.cat((centres - boxes[:, None, :2], boxes[:, None, 2:] - centres), -1).amin(-1) > 1e-9
        best = (metrics * inside).topk(min(self.topk, len(priors)), 1).indices
        claims = torch.zeros_like(inside).scatter_(1, best, True) & inside
        num_claims = claims.sum(0)
        owner = torch.where(num_claims > 1, overlaps.argmax(0), claims.int().argmax(0))
        cells = num_claims.nonzero().squeeze(1)
        owner = owner[cells]
        assigned.assign_metrics[cells] = metrics[owner, cells]
        return _owned(assigned, cells, owner, overlaps[owner, cells], gt_instances)


def _background(priors: torch.Tensor, gt_instances: InstanceData) -> AssignResult:
    """No prior assigned."""
    gt_inds = priors.new_zeros(len(priors), dtype=torch.long)
    return AssignResult(len(gt_instances.bboxes), gt_inds, priors.new_zeros(len(priors)), gt_inds - 1)


def _owned(assigned: AssignResult, cells: torch.Tensor, owner: torch.Tensor, overlaps: torch.Tensor,
           gt_instances: InstanceData) -> AssignResult:
    """The same with cells that belong to ground truths, whose IoUs with them are ``overlaps``."""
    assigned.gt_inds[cells] = owner + 1
    assigned.labels[cells] = gt_instances.labels[owner]
    assigned.max_overlaps[cells] = overlaps
    return assigned
