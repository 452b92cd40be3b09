"""ATSS as PicoDet's references compute it."""
import torch
from mmdet.models.task_modules.assigners import AssignResult, BaseAssigner
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData

from lcvision.registry import TASK_UTILS

# Pixels that a positive centre keeps from every side of its box.
_SMALLEST_DISTANCE = 0.01


@TASK_UTILS.register_module()
class PicoATSSAssigner(BaseAssigner):
    """Adaptive training sample selection over square anchors.

    For each ground truth the ``topk`` nearest anchors of every level are candidates; those whose IoU reaches mean plus
    standard deviation of the candidates' IoUs and whose centre lies inside are positive. An anchor that several
    ground truths claim goes to the one of highest IoU.

    Args:
        topk: Candidates a level and ground truth.

    Source: PaddleDetection ``Gt2GFLTarget`` at b1186bc822.

    Differs: from mmdet's ``ATSSAssigner`` in one thing, which the fixtures show: the deviation is the population's
    (divided by n, not n - 1).
    """

    def __init__(self, topk: int = 9):
        if topk < 1:
            raise ValueError(f'PicoATSSAssigner: topk={topk} must be at least 1')
        self.topk = topk

    def assign(self, pred_instances: InstanceData, num_level_priors: list[int], gt_instances: InstanceData,
               gt_instances_ignore: InstanceData | None = None) -> AssignResult:
        """Assigns anchors to the ground truths of one image.

        Args:
            pred_instances: ``priors`` are the anchors, (n, 4) as x1, y1, x2, y2 in pixels.
            num_level_priors: Anchors of each level, in the order of ``priors``.
            gt_instances: ``bboxes`` (g, 4) in pixels and ``labels`` (g,).
            gt_instances_ignore: Not used; ignored regions are removed by the pipeline.

        Returns:
            ``gt_inds`` (n,): 0 for background, else 1 plus the index of the ground truth.
        """
        anchors, boxes = pred_instances.priors, gt_instances.bboxes
        num_anchors, num_gts = len(anchors), len(boxes)
        gt_inds = anchors.new_zeros(num_anchors, dtype=torch.long)
        labels = anchors.new_full((num_anchors,), -1, dtype=torch.long)
        if num_gts == 0:
            return AssignResult(0, gt_inds, anchors.new_zeros(num_anchors), labels)
        centres = (anchors[:, :2] + anchors[:, 2:]) / 2
        candidates = self._candidates(centres, (boxes[:, :2] + boxes[:, 2:]) / 2, num_level_priors)
        overlaps = bbox_overlaps(anchors[candidates].flatten(0, 1),
                                 boxes.repeat_interleave(candidates.shape[1], 0), is_aligned=True)
        overlaps = overlaps.view(num_gts, -1)
        threshold = overlaps.mean(1, keepdim=True) + overlaps.std(1, correction=0, keepdim=True)
        near = centres[candidates]
        inside = torch.cat((near - boxes[:, None, :2], boxes[:, None, 2:] - near), -1).amin(-1) > _SMALLEST_DISTANCE
        claims = anchors.new_full((num_gts, num_anchors), -1.)
        claims.scatter_(1, candidates, torch.where((overlaps >= threshold) & inside, overlaps, -1.))
        best, owner = claims.max(0)
        positive = best >= 0
        gt_inds[positive] = owner[positive] + 1
        labels[positive] = gt_instances.labels[owner[positive]]
        return AssignResult(num_gts, gt_inds, best.clamp(min=0), labels)

    def _candidates(self, centres: torch.Tensor, gt_centres: torch.Tensor, num_level_priors: list[int]) -> torch.Tensor:
        """Indices (g, k) of the nearest anchors of all levels."""
        indices, start = [], 0
        for count in num_level_priors:
            distances = torch.cdist(gt_centres, centres[start:start + count], compute_mode='donot_use_mm_for_euclid_dist')
            indices.append(distances.topk(min(self.topk, count), dim=1, largest=False).indices + start)
            start += count
        return torch.cat(indices, 1)
