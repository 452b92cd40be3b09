"""ATSS as PicoDet's references compute it."""
from typing import NamedTuple

import torch
from mmdet.models.task_modules.assigners import AssignResult, BaseAssigner
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData

from lcvision.registry import TASK_UTILS


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
        """Assigns anchors to the ground truths of one image: ``gt_inds`` (n,) are 0 or 1 plus the ground truth's index.

        Args:
            pred_instances: ``priors`` are the anchors, (n, 4) as x1, y1, x2, y2 in pixels.
            num_level_priors: Anchors of each level, in the order of ``priors``.
            gt_instances, gt_instances_ignore: ``bboxes`` (g, 4) in pixels and ``labels`` (g,); the second is not used.
        """
        anchors, boxes = pred_instances.priors, gt_instances.bboxes
        num_anchors, num_gts = len(anchors), len(boxes)
        gt_inds = anchors.new_zeros(num_anchors, dtype=torch.long)
        labels = anchors.new_full((num_anchors,), -1, dtype=torch.long)
        if num_gts == 0:
            return AssignResult(0, gt_inds, anchors.new_zeros(num_anchors), labels)
        claims = self._claims(anchors, boxes, num_level_priors)
        best, owner = claims.max(0)
        if self.rules.any_owner:
            contested = ((claims >= 0).sum(0) > 1).nonzero().squeeze(1)
            best[contested], owner[contested] = bbox_overlaps(boxes, anchors[contested]).max(0)
        positive = best >= 0
        gt_inds[positive] = owner[positive] + 1
        labels[positive] = gt_instances.labels[owner[positive]]
        return AssignResult(num_gts, gt_inds, best.clamp(min=0), labels)

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
