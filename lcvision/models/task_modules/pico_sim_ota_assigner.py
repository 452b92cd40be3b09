"""SimOTA as the October 2021 PicoDet computes it."""
import torch
from mmdet.models.task_modules.assigners import AssignResult, BaseAssigner
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData

from lcvision.registry import TASK_UTILS

# What a cell costs a ground truth when it is not both inside its box and near its centre.
_OUTSIDE = 1e8
# Share of a negative class in the varifocal loss.
_ALPHA = 0.75


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
        """Assigns cells to the ground truths of one image: ``gt_inds`` (n,) are 0 or 1 plus the ground truth's index.

        ``max_overlaps`` are the IoUs of positive cells' predictions with their ground truths.

        Args:
            pred_instances: ``priors`` (n, 3 or more) with centre and stride in pixels, ``bboxes`` (n, 4) in pixels and
                ``scores`` (n, classes) in 0..1 of every cell.
            gt_instances, gt_instances_ignore: ``bboxes`` (g, 4) in pixels and ``labels`` (g,); the second is not used.
        """
        priors, gt_boxes, gt_labels = pred_instances.priors, gt_instances.bboxes.float(), gt_instances.labels
        gt_inds = gt_labels.new_zeros(len(priors), dtype=torch.long)
        overlaps = gt_boxes.new_zeros(len(priors))
        labels = gt_inds.new_full((len(priors),), -1)
        inside, near = self._geometry(priors.float(), gt_boxes)
        candidate = (inside | near).any(0).nonzero().squeeze(1)
        if len(candidate) == 0:
            return AssignResult(len(gt_boxes), gt_inds, overlaps, labels)
        boxes = pred_instances.bboxes[candidate].float()
        ious = bbox_overlaps(gt_boxes, boxes, eps=1e-6)
        cost = (self.cls_weight * varifocal_cost(pred_instances.scores[candidate].float(), gt_labels, ious)
                + self.iou_weight * (1 - bbox_overlaps(gt_boxes, boxes, mode='giou', eps=1e-6))
                + _OUTSIDE * ~(inside & near)[:, candidate])
        chosen = self._cheapest(cost, ious)
        owner = torch.where(chosen.sum(0) > 1, cost.argmin(0), chosen.int().argmax(0))
        positive = chosen.any(0)
        candidate, owner = candidate[positive], owner[positive]
        gt_inds[candidate] = owner + 1
        overlaps[candidate] = ious[owner, positive.nonzero().squeeze(1)]
        labels[candidate] = gt_labels[owner]
        return AssignResult(len(gt_boxes), gt_inds, overlaps, labels)

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
    """Varifocal loss (g, n) of every candidate's scores, were it assigned to every ground truth, summed over classes.

    The sum over negative classes is the same for all ground truths, so that no (g, n, classes) array is made.

    Args:
        scores, gt_labels: (n, classes) in 0..1, and (g,) class of each ground truth.
        ious: (g, n) of boxes and predictions, the target of the class; one of zero makes the class a negative.
    """
    negative = -_ALPHA * scores.square() * _log(1 - scores)
    score = scores.T[gt_labels]
    positive = -(ious * _log(score) + (1 - ious) * _log(1 - score)) * ious
    return negative.sum(1) + torch.where(ious > 0, positive - negative.T[gt_labels], 0.)


def _log(x: torch.Tensor) -> torch.Tensor:
    # The bound is that of a binary cross entropy, the reference's and torch's. Unlike torch's, this lets predictions
    # that are not finite through, so that the loss shows them.
    return x.log().clamp(min=-100)
