"""Against the rules spelled out one ground truth at a time, and beside mmdet's assigner."""
import numpy as np
import pytest
import torch
from mmdet.models.task_modules.assigners import TaskAlignedAssigner
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData

from lcvision.models import PicoTaskAlignedAssigner


def random_case(rng, count, classes=3, rows=8, columns=10):
    y, x = np.mgrid[:rows, :columns].reshape(2, -1) * 8 + 4
    centres = np.stack((x, y), 1).astype(float)
    sizes = rng.uniform(2, 40, (len(centres), 4))
    predicted = np.concatenate((centres - sizes[:, :2], centres + sizes[:, 2:]), 1)
    middle, size = rng.uniform(0, (80, 64), (count, 2)), rng.uniform(6, 60, (count, 2))
    boxes = np.concatenate((middle - size / 2, middle + size / 2), 1)
    return centres, predicted, rng.uniform(0.01, 1, (len(centres), classes)), boxes, rng.integers(classes, size=count)


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    inter = max(width, 0) * max(height, 0)
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


def slowly(centres, predicted, scores, boxes, labels, topk, alpha, beta):
    """Owners (counted from 1) and metrics in float64."""
    overlaps = np.array([[iou(box, p) for p in predicted] for box in boxes])
    metrics = scores.T[labels] ** alpha * overlaps ** beta
    claimed = [[] for _ in centres]
    for g, box in enumerate(boxes):
        inside = [n for n, (x, y) in enumerate(centres) if box[0] < x < box[2] and box[1] < y < box[3]]
        for n in sorted(inside, key=lambda n, g=g: -metrics[g, n])[:topk]:
            claimed[n].append(g)
    owner = [0 if not c else 1 + (c[0] if len(c) == 1 else overlaps[:, n].argmax()) for n, c in enumerate(claimed)]
    return owner, [metrics[o - 1, n] if o else 0 for n, o in enumerate(owner)]


def assign(assigner, centres, predicted, scores, boxes, labels, **powers):
    tensors = [torch.tensor(a, dtype=torch.float32) for a in (centres, predicted, scores, boxes)]
    priors = torch.cat((tensors[0] - 20, tensors[0] + 20), 1)
    return assigner.assign(InstanceData(priors=priors, bboxes=tensors[1], scores=tensors[2]),
                           InstanceData(bboxes=tensors[3].reshape(-1, 4), labels=torch.tensor(labels).long()), **powers)


@pytest.mark.parametrize(('topk', 'alpha', 'beta'), [(13, 1, 6), (3, 1, 6), (5, 0.5, 2)])
@pytest.mark.parametrize('count', [1, 4, 15])
def test_equals_the_rules(count, topk, alpha, beta):
    rng = np.random.default_rng(count)
    positives = 0
    for _ in range(10):
        case = random_case(rng, count)
        owner, metrics = slowly(*case, topk, alpha, beta)
        result = assign(PicoTaskAlignedAssigner(topk), *case, alpha=alpha, beta=beta)
        assert result.gt_inds.tolist() == owner and result.num_gts == count
        np.testing.assert_allclose(result.assign_metrics, metrics, rtol=1e-3, atol=1e-7)
        assert result.labels.tolist() == [case[4][o - 1] if o else -1 for o in owner]
        positives += np.count_nonzero(owner)
    assert positives > 20


def test_finds_more_than_mmdets():
    """That one drops cells outside the ground truth after it has taken the best, not before."""
    rng, ours, theirs = np.random.default_rng(0), 0, 0
    for _ in range(10):
        case = random_case(rng, 3)
        ours += int((assign(PicoTaskAlignedAssigner(13), *case).gt_inds > 0).sum())
        theirs += int((assign(TaskAlignedAssigner(13), *case).gt_inds > 0).sum())
    assert ours > theirs > 0


def test_contested_cell_may_go_to_a_ground_truth_that_does_not_contain_it():
    boxes = [[0., 0., 10., 10.], [0., 0., 12., 12.], [8., 0., 40., 10.]]
    case = [[6., 5.]], [[6., 0., 40., 10.]], [[0.5]], boxes, [0, 0, 0]
    assert assign(PicoTaskAlignedAssigner(1), *case).gt_inds.tolist() == [3]
    assert assign(PicoTaskAlignedAssigner(1), *case[:3], [boxes[0], boxes[2]], [0, 0]).gt_inds.tolist() == [1]


def test_no_ground_truth_means_background():
    centres, predicted, scores, _, _ = random_case(np.random.default_rng(0), 1)
    result = assign(PicoTaskAlignedAssigner(), centres, predicted, scores, np.zeros((0, 4)), [])
    assert result.num_gts == 0 and not result.gt_inds.any() and not result.assign_metrics.any()
    assert (result.labels == -1).all() and len(result.gt_inds) == 80


def test_fewer_cells_than_topk():
    case = random_case(np.random.default_rng(3), 2, rows=2, columns=2)
    owner, _ = slowly(*case, 100, 1, 6)
    assert assign(PicoTaskAlignedAssigner(100), *case).gt_inds.tolist() == owner


def test_builds_from_a_detectors_config():
    assigner = TASK_UTILS.build(dict(type='lcvision.PicoTaskAlignedAssigner', topk=5))
    assert isinstance(assigner, PicoTaskAlignedAssigner) and assigner.topk == 5


def test_wrong_topk_is_explained():
    with pytest.raises(ValueError, match='PicoTaskAlignedAssigner: topk=0 must be at least 1'):
        PicoTaskAlignedAssigner(0)
