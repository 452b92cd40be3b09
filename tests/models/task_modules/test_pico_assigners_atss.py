"""Against the rules spelled out one ground truth and one anchor at a time."""
import numpy as np
import pytest
import torch
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData

from lcvision.models import PicoATSSAssigner

LEVELS = ((8, 8, 10), (16, 4, 5), (32, 2, 3))


def anchors(levels=LEVELS):
    """Square anchors of five strides around the cells of each (stride, rows, columns)."""
    boxes, counts = [], []
    for stride, rows, columns in levels:
        y, x = np.mgrid[:rows, :columns].reshape(2, -1) + 0.5
        boxes.append(np.stack((x, y, x, y), 1) * stride + np.array([-1, -1, 1, 1]) * 2.5 * stride)
        counts.append(rows * columns)
    return np.concatenate(boxes), counts


def random_boxes(rng, count, width=80, height=64):
    centre = rng.uniform((0, 0), (width, height), (count, 2))
    size = rng.uniform(4, 60, (count, 2))
    return np.concatenate((centre - size / 2, centre + size / 2), 1)


def iou(a, b):
    """IoUs of the rows of two arrays."""
    width = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    height = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    inter = width.clip(0) * height.clip(0)
    areas = [(c[:, 2] - c[:, 0]) * (c[:, 3] - c[:, 1]) for c in (a, b)]
    return inter / np.maximum(sum(areas) - inter, 1e-6)


def nearest(centres, counts, box, topk):
    """The ``topk`` anchors of each level that are nearest to a box, and by how much the next one is farther."""
    distance = np.hypot(*(centres - (box[:2] + box[2:]) / 2).T)
    candidates, start, margin = [], 0, np.inf
    for count in counts:
        order = start + np.argsort(distance[start:start + count], kind='stable')
        candidates += order[:topk].tolist()
        if count > topk:
            margin = min(margin, distance[order[topk]] - distance[order[topk - 1]])
        start += count
    return np.array(candidates), margin


def slowly(priors, counts, boxes, topk):
    """The assignment in float64, and how near its closest decision was."""
    centres = (priors[:, :2] + priors[:, 2:]) / 2
    owner, best = np.zeros(len(priors), int), np.full(len(priors), -np.inf)
    margin = np.inf
    for index, box in enumerate(boxes):
        candidates, gap = nearest(centres, counts, box, topk)
        margin = min(margin, gap)
        overlaps = iou(priors[candidates], np.broadcast_to(box, (len(candidates), 4)))
        threshold = overlaps.mean() + np.sqrt(((overlaps - overlaps.mean()) ** 2).mean())
        for anchor, overlap in zip(candidates, overlaps, strict=True):
            x, y = centres[anchor]
            inside = min(x - box[0], y - box[1], box[2] - x, box[3] - y)
            margin = min(margin, abs(overlap - threshold), abs(inside - 0.01))
            if overlap >= threshold and inside > 0.01:
                margin = min(margin, abs(overlap - best[anchor]))
                if overlap > best[anchor]:
                    best[anchor], owner[anchor] = overlap, index + 1
    return owner, np.where(owner > 0, best, 0), margin


def assign(priors, counts, boxes, labels=None, topk=9):
    labels = torch.arange(len(boxes)) + 5 if labels is None else labels
    return PicoATSSAssigner(topk).assign(
        InstanceData(priors=torch.as_tensor(priors, dtype=torch.float32)), counts,
        InstanceData(bboxes=torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4), labels=labels))


@pytest.mark.parametrize('topk', [9, 4, 1])
@pytest.mark.parametrize('count', [1, 2, 5, 12])
def test_equals_the_rules(count, topk):
    """In random cases whose decisions are clear enough for single precision."""
    rng = np.random.default_rng(count)
    priors, counts = anchors()
    compared = positives = 0
    while compared < 25:
        boxes = random_boxes(rng, count).astype(np.float32).astype(np.float64)
        owner, overlaps, margin = slowly(priors, counts, boxes, topk)
        if margin < 1e-5:
            continue
        result = assign(priors, counts, boxes, topk=topk)
        assert result.gt_inds.tolist() == owner.tolist()
        np.testing.assert_allclose(result.max_overlaps, overlaps, rtol=1e-4, atol=1e-6)
        assert result.labels.tolist() == np.where(owner > 0, owner + 4, -1).tolist()
        assert result.num_gts == count
        compared, positives = compared + 1, positives + (owner > 0).sum()
    assert positives > 20


def test_fewer_anchors_than_candidates():
    """All of a level with fewer than ``topk`` cells take part; the reference cannot do this at all."""
    levels = ((8, 4, 4), (16, 2, 2), (32, 1, 1))
    priors, counts = anchors(levels)
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(20):
        boxes = random_boxes(rng, 3, 32, 32).astype(np.float32).astype(np.float64)
        owner, _, margin = slowly(priors, counts, boxes, 9)
        if margin > 1e-5:
            assert assign(priors, counts, boxes).gt_inds.tolist() == owner.tolist()
            found += (owner > 0).sum()
    assert found > 0
    whole = PicoATSSAssigner(1000).assign(
        InstanceData(priors=torch.as_tensor(priors, dtype=torch.float32)), counts,
        InstanceData(bboxes=torch.tensor([[2., 2., 30., 30.]]), labels=torch.tensor([0])))
    assert (whole.gt_inds > 0).any()


def test_no_ground_truth_means_background():
    priors, counts = anchors()
    result = assign(priors, counts, np.zeros((0, 4)))
    assert result.num_gts == 0
    assert result.gt_inds.shape == (len(priors),) and not result.gt_inds.any() and result.gt_inds.dtype == torch.long
    assert (result.labels == -1).all() and not result.max_overlaps.any()


def test_deviation_is_that_of_the_population():
    """Overlaps that the two definitions tell apart: with n - 1 nothing would be positive."""
    box = torch.tensor([[0., 0., 100., 100.]])
    overlaps = np.array([0.50, 0.70, 0.80])
    population, sample = (overlaps.mean() + overlaps.std(ddof=ddof) for ddof in (0, 1))
    assert population < 0.80 < sample
    # Anchors centred in the box and as wide as it: their heights are their overlaps.
    priors = np.stack([[0, 50 - 50 * o, 100, 50 + 50 * o] for o in overlaps])
    result = assign(priors, [3], box)
    assert result.gt_inds.tolist() == [0, 0, 1]


def test_centre_must_lie_well_inside():
    def positives(left):
        return assign([[left - 4, 0, left + 4, 8.]], [1], [[10., 0., 18., 8.]]).gt_inds.tolist()

    assert positives(10.0) == positives(10.005) == [0]
    assert positives(10.02) == [1]


def test_the_higher_overlap_wins_and_ties_go_to_the_first():
    prior = [[0., 0., 10., 10.]]
    assert assign(prior, [1], [[0, 0, 10, 7.], [0, 0, 10, 9.]]).gt_inds.tolist() == [2]
    assert assign(prior, [1], [[0, 0, 10, 9.], [0, 0, 10, 7.]]).gt_inds.tolist() == [1]
    assert assign(prior, [1], [[0, 0, 10, 9.], [0, 1, 10, 10.]]).gt_inds.tolist() == [1]


def test_result_has_no_gradient_and_keeps_its_inputs():
    priors, counts = anchors()
    boxes = torch.tensor([[3., 4., 50., 40.]])
    before = boxes.clone()
    result = assign(priors, counts, boxes)
    assert torch.equal(boxes, before) and not result.max_overlaps.requires_grad


def test_builds_from_a_detectors_config():
    assigner = TASK_UTILS.build(dict(type='lcvision.PicoATSSAssigner', topk=5))
    assert isinstance(assigner, PicoATSSAssigner) and assigner.topk == 5


@pytest.mark.parametrize('topk', [0, -1])
def test_wrong_topk_is_explained(topk):
    with pytest.raises(ValueError, match=f'PicoATSSAssigner: topk={topk} must be at least 1'):
        PicoATSSAssigner(topk)


def slowly_2022(priors, counts, boxes, topk):
    """The assignment of version '2022' in float64, how near its closest decision was, and strangers' anchors."""
    centres = (priors[:, :2] + priors[:, 2:]) / 2
    overlaps = np.stack([iou(priors, np.broadcast_to(box, priors.shape)) for box in boxes])
    claims, margin = np.zeros_like(overlaps, bool), np.inf
    for index, box in enumerate(boxes):
        candidates, gap = nearest(centres, counts, box, topk)
        margin = min(margin, gap)
        threshold = overlaps[index, candidates].mean() + overlaps[index, candidates].std(ddof=1)
        inside = np.minimum(centres - box[:2], box[2:] - centres).min(1)
        claims[index, candidates] = ((overlaps[index] > threshold) & (inside > 0))[candidates]
        margin = min(margin, np.abs(overlaps[index, candidates] - threshold).min(), np.abs(inside[candidates]).min())
    contested = claims.sum(0) > 1
    owner = np.where(contested, overlaps.argmax(0), claims.argmax(0))
    if contested.any():
        best = np.sort(overlaps[:, contested], 0)
        margin = min(margin, (best[-1] - best[-2]).min())
    strangers = (contested & ~np.take_along_axis(claims, owner[None], 0)[0]).sum()
    return np.where(claims.any(0), owner + 1, 0), margin, strangers


@pytest.mark.parametrize('count', [1, 5, 12])
def test_equals_the_rules_of_2022(count):
    rng = np.random.default_rng(count)
    priors, counts = anchors()
    compared = positives = strangers = 0
    while compared < 25:
        boxes = random_boxes(rng, count).astype(np.float32).astype(np.float64)
        owner, margin, strange = slowly_2022(priors, counts, boxes, 9)
        if margin < 1e-5:
            continue
        result = PicoATSSAssigner(9, version='2022').assign(
            InstanceData(priors=torch.tensor(priors, dtype=torch.float32)), counts,
            InstanceData(bboxes=torch.tensor(boxes, dtype=torch.float32), labels=torch.arange(count)))
        assert result.gt_inds.tolist() == owner.tolist()
        assert result.labels.tolist() == (owner - 1).tolist()
        compared, positives, strangers = compared + 1, positives + (owner > 0).sum(), strangers + strange
    assert positives > 20 and (count < 12 or strangers > 0)


def test_an_overlap_at_the_threshold_is_enough_in_2021_only():
    prior, box = torch.tensor([[0., 0., 10., 10.]]), torch.tensor([[0., 0., 10., 8.]])
    priors = prior.repeat(2, 1)
    for version, expected in (('2021', [1, 1]), ('2022', [0, 0])):
        result = PicoATSSAssigner(version=version).assign(
            InstanceData(priors=priors), [2], InstanceData(bboxes=box, labels=torch.tensor([0])))
        assert result.gt_inds.tolist() == expected


def test_unknown_version_is_explained():
    with pytest.raises(ValueError, match="version='2023' must be one of '2021', '2022'"):
        PicoATSSAssigner(version='2023')
