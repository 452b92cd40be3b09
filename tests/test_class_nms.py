"""Against suppression spelled out class by class and pair by pair."""
import numpy as np
import pytest

from lcvision.class_nms import class_nms


def iou(a, b):
    """IoU of two boxes in float32, areas without +1."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    width = max(np.float32(0), min(a[2], b[2]) - max(a[0], b[0]))
    height = max(np.float32(0), min(a[3], b[3]) - max(a[1], b[1]))
    inter = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return inter / union if union > 0 else np.float32(0)


def by_class(boxes, scores, labels, iou_threshold, class_top, max_per_img):
    """Each class alone: sort, cut, suppress greedily; then the best of all classes."""
    kept = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        own = own[np.argsort(-scores[own], kind='stable')][:class_top]
        survivors = []
        for index in own:
            if all(iou(boxes[index], boxes[other]) <= np.float32(iou_threshold) for other in survivors):
                survivors.append(index)
        kept += survivors
    kept = np.array(kept, dtype=np.int64)
    return kept[np.lexsort((kept, -scores[kept]))][:max_per_img]


def random_case(rng, count, classes=3, side=12):
    corner = rng.uniform(0, side, (count, 2))
    boxes = np.concatenate((corner, corner + rng.uniform(16, 30, (count, 2))), 1).astype(np.float32)
    return boxes, rng.permutation(count).astype(np.float32) / max(count, 1), rng.integers(classes, size=count)


@pytest.mark.parametrize('class_top', [1000, 7, 1])
@pytest.mark.parametrize('max_per_img', [100, 5])
@pytest.mark.parametrize('iou_threshold', [0.6, 0.3, 0.0])
def test_equals_suppression_class_by_class(iou_threshold, class_top, max_per_img):
    rng = np.random.default_rng(0)
    suppressed = 0
    for count in (1, 2, 3, 10, 40, 150):
        case = random_case(rng, count)
        expected = by_class(*case, iou_threshold, class_top, max_per_img)
        actual = class_nms(*case, iou_threshold, class_top, max_per_img)
        assert actual.tolist() == expected.tolist()
        suppressed += actual.tolist() != class_nms(*case, 1.0, 1000, max_per_img).tolist()
    assert suppressed > 0


def test_best_come_first_and_nothing_is_kept_twice():
    boxes, scores, labels = random_case(np.random.default_rng(1), 200, classes=5, side=400)
    kept = class_nms(boxes, scores, labels, 0.6, 1000, 100)
    assert len(kept) == len(set(kept.tolist())) == 100
    assert (np.diff(scores[kept]) <= 0).all()


def test_suppression_reaches_beyond_the_boxes_compared_at_a_time():
    rng = np.random.default_rng(2)
    for classes, side in ((1, 60), (4, 200)):
        case = random_case(rng, 400, classes, side)
        kept = class_nms(*case, 0.4, 1000, 1000)
        assert kept.tolist() == by_class(*case, 0.4, 1000, 1000).tolist() and len(kept) < 350
        # Somebody is suppressed by a box that stands far before it.
        order = np.argsort(-case[1], kind='stable')
        place = np.empty(400, int)
        place[order] = np.arange(400)
        assert place[kept].max() > 256


def test_iou_at_the_threshold_is_no_suppression():
    # Two boxes of area 4 that share 2: IoU is 2 / 6; and of which one is half the other: IoU 0.5.
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 1]], np.float32)
    scores, labels = np.array([0.9, 0.8], np.float32), np.zeros(2, np.int64)
    assert class_nms(boxes, scores, labels, 0.5, 1000, 100).tolist() == [0, 1]
    assert class_nms(boxes, scores, labels, 0.499, 1000, 100).tolist() == [0]


def test_classes_do_not_meet():
    boxes = np.array([[0, 0, 10, 10]] * 4, np.float32)
    scores = np.array([0.3, 0.9, 0.5, 0.7], np.float32)
    assert class_nms(boxes, scores, np.array([0, 1, 2, 1]), 0.5, 1000, 100).tolist() == [1, 2, 0]


def test_a_suppressed_box_suppresses_nothing():
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)
    scores, labels = np.array([0.9, 0.8, 0.7], np.float32), np.zeros(3, np.int64)
    assert class_nms(boxes, scores, labels, 0.4, 1000, 100).tolist() == [0, 2]


def test_class_top_counts_before_suppression():
    """The second best of class 0 takes the place that the third would have had."""
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60], [0, 0, 10, 10]], np.float32)
    scores, labels = np.array([0.9, 0.8, 0.7, 0.1], np.float32), np.array([0, 0, 0, 1])
    assert class_nms(boxes, scores, labels, 0.5, 2, 100).tolist() == [0, 3]
    assert class_nms(boxes, scores, labels, 0.5, 3, 100).tolist() == [0, 2, 3]


def test_equal_scores_keep_their_order():
    boxes = np.array([[20 * i, 0, 20 * i + 10, 10] for i in range(6)], np.float32)
    scores, labels = np.full(6, 0.5, np.float32), np.array([0, 1, 0, 1, 0, 1])
    assert class_nms(boxes, scores, labels, 0.5, 1000, 100).tolist() == list(range(6))
    assert class_nms(boxes, scores, labels, 0.5, 2, 100).tolist() == [0, 1, 2, 3]


def test_boxes_without_area_are_kept_apart():
    boxes = np.array([[5, 5, 5, 5], [5, 5, 5, 5], [0, 0, 10, 10]], np.float32)
    scores, labels = np.array([0.9, 0.8, 0.7], np.float32), np.zeros(3, np.int64)
    with np.errstate(all='raise'):
        assert class_nms(boxes, scores, labels, 0.6, 1000, 100).tolist() == [0, 1, 2]


@pytest.mark.parametrize('max_per_img', [0, 100])
def test_nothing_in_nothing_out(max_per_img):
    kept = class_nms(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), 0.6, 1000,
                     max_per_img)
    assert kept.shape == (0,) and kept.dtype.kind == 'i'
    case = random_case(np.random.default_rng(2), 3)
    assert len(class_nms(*case, 0.6, 1000, 0)) == 0
