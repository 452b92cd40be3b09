"""SimOTA: parity with the reference from its own inputs, the cost spelled out, images without objects."""
import pytest
import torch
from mmdet.models.task_modules import SimOTAAssigner
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData
from torch.nn import functional as F

from lcvision.models import PicoSimOTAAssigner
from lcvision.models.task_modules.pico_assigners import varifocal_cost
from tests.fixture import Fixture


def inputs(fixture, image):
    prefix = 'train/bn_eval/assign/in_'
    predictions = InstanceData(
        priors=fixture[f'{prefix}center_stride'][image], bboxes=fixture[f'{prefix}boxes'][image],
        scores=fixture[f'{prefix}scores_sigmoid'][image])
    return predictions, InstanceData(
        bboxes=fixture[f'train/gt_bbox/{image}'], labels=fixture[f'train/gt_class/{image}'][:, 0].long())


@pytest.mark.parametrize('image', [0, 1])
def test_assignment_equals_reference(image):
    fixture = Fixture('det_legacy_pplcnet_x0_25')
    predictions, gts = inputs(fixture, image)
    result = PicoSimOTAAssigner().assign(predictions, gts)
    expected = fixture['train/bn_eval/assign/gt_index'][image]
    assert torch.equal(result.gt_inds - 1, expected)
    positive = expected >= 0
    assert torch.equal(result.labels[positive], fixture['train/bn_eval/assign/labels'][image][positive])
    ious = bbox_overlaps(predictions.bboxes[positive], gts.bboxes[expected[positive]], is_aligned=True)
    torch.testing.assert_close(result.max_overlaps[positive], ious)
    assert not result.max_overlaps[~positive].any()


def test_other_assigner_differs():
    """mmdet's assigner is not made equal by its arguments, which is why there is one of our own."""
    fixture = Fixture('det_legacy_pplcnet_x0_25')
    equal = []
    for image in range(2):
        predictions, gts = inputs(fixture, image)
        result = SimOTAAssigner(iou_weight=6.0).assign(predictions, gts)
        equal.append(torch.equal(result.gt_inds - 1, fixture['train/bn_eval/assign/gt_index'][image]))
    assert not all(equal)


def random_case(num_gts, num_classes=5):
    points = torch.stack(torch.meshgrid(*2 * [torch.arange(4., 160, 8)], indexing='xy'), -1).view(-1, 2)
    priors = torch.cat((points, torch.full((len(points), 1), 8.)), 1)
    sides = torch.rand(len(points), 4) * 30 + 1
    boxes = torch.cat((points - sides[:, :2], points + sides[:, 2:]), 1)
    corner = torch.rand(num_gts, 2) * 120
    gts = InstanceData(bboxes=torch.cat((corner, corner + 2 + torch.rand(num_gts, 2) * 60), 1),
                       labels=torch.randint(num_classes, (num_gts,)))
    return InstanceData(priors=priors, bboxes=boxes, scores=torch.rand(len(points), num_classes)), gts


def straight_assignment(predictions, gts):
    """The rule one ground truth and one cell at a time."""
    points, strides, gt_boxes = predictions.priors[:, :2], predictions.priors[:, 2:], gts.bboxes
    inside = torch.stack([((points > b[:2]) & (points < b[2:])).all(1) for b in gt_boxes], 1)
    near = torch.stack([((points - (b[:2] + b[2:]) / 2).abs() < 2.5 * strides).all(1) for b in gt_boxes], 1)
    valid = (inside | near).any(1).nonzero()[:, 0]
    boxes, ious = predictions.bboxes[valid], bbox_overlaps(predictions.bboxes[valid], gt_boxes)
    target = F.one_hot(gts.labels, predictions.scores.shape[1])[None] * ious[..., None]
    score = predictions.scores[valid][:, None].expand_as(target)
    weight = torch.where(target > 0, target, 0.75 * (score - target) ** 2)
    cost = (F.binary_cross_entropy(score, target, reduction='none') * weight).sum(-1)
    cost = cost + 6 * (1 - bbox_overlaps(boxes, gt_boxes, mode='giou')) + 1e8 * ~(inside & near)[valid]
    matches = torch.zeros_like(cost)
    for g in range(len(gt_boxes)):
        count = max(1, int(ious[:, g].topk(min(10, len(valid))).values.sum()))
        matches[cost[:, g].topk(count, largest=False).indices, g] = 1
    owners = torch.zeros(len(points), dtype=torch.long)
    for row, cell in enumerate(valid):
        if matches[row].sum() > 1:
            owners[cell] = cost[row].argmin() + 1
        elif matches[row].sum() == 1:
            owners[cell] = matches[row].argmax() + 1
    return owners


@pytest.mark.parametrize('num_gts', [1, 3, 12, 60])
def test_assignment_equals_straight_rule(num_gts):
    for _ in range(5):
        predictions, gts = random_case(num_gts)
        owners = PicoSimOTAAssigner().assign(predictions, gts).gt_inds
        assert torch.equal(owners, straight_assignment(predictions, gts))
        assert (owners > 0).any()


def test_class_without_overlap_counts_as_negative():
    scores = torch.tensor([[0.3, 0.9], [0.2, 0.4]])
    costs = varifocal_cost(scores, torch.tensor([1]), torch.tensor([[0.0, 0.5]]))
    negative = -0.75 * scores.square() * (1 - scores).log()
    positive = 0.5 * F.binary_cross_entropy(scores[1, 1], torch.tensor(0.5))
    torch.testing.assert_close(costs, torch.stack((negative[0].sum(), negative[1, 0] + positive))[None])


def test_certain_scores_cost_a_finite_amount():
    costs = varifocal_cost(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 1]), torch.full((2, 2), 0.5))
    assert costs.isfinite().all()


def test_nothing_to_assign():
    predictions, _ = random_case(1)
    nothing = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    far = InstanceData(bboxes=torch.tensor([[900., 900., 910., 910.]]), labels=torch.tensor([1]))
    for gts in (nothing, far):
        result = PicoSimOTAAssigner().assign(predictions, gts)
        assert result.num_gts == len(gts) and not result.gt_inds.any() and (result.labels == -1).all()


@pytest.mark.parametrize('arguments', [
    dict(center_radius=0), dict(candidate_topk=0), dict(iou_weight=-1.0), dict(cls_weight=-1.0)])
def test_wrong_argument_is_named(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        PicoSimOTAAssigner(**arguments)
