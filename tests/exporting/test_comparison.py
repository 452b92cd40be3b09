"""What counts as the same result."""
import numpy as np
import pytest

from lcvision.exporting.comparison import compare
from lcvision.inference.results import Classification, Detections, LabelMap

RULES = dict(score_thr=0.025, iou_threshold=0.6, max_per_img=100)
BOXES = np.array([[0, 0, 100, 100], [200, 0, 300, 100], [0, 200, 50, 250]], np.float32)


def found(boxes=BOXES, scores=(.9, .5, .1), labels=(0, 1, 0)) -> Detections:
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.array(labels))


def problem(own, given, rules=RULES, candidates=()):
    """``candidates``: boxes of class 0 that the model has suppressed, with scores."""
    def evidence():
        if not isinstance(own, Detections):
            return np.zeros((2, 2), bool)
        more = [(*own.boxes, *(box for box, _ in candidates)), (*own.scores, *(score for _, score in candidates))]
        return found(*more, (*own.labels, *[0] * len(candidates)))
    return compare(own, given, rules, evidence).problem


def test_the_order_of_equals_does_not_count():
    given = found(BOXES[[1, 0, 2]], (.5, .9, .1005), (1, 0, 0))
    assert problem(found(), given) is None
    assert compare(found(), given, RULES, list).largest == pytest.approx(.0005, abs=1e-6)


@pytest.mark.parametrize('given, text', [
    (found(BOXES + 3), 'only the file has a box [3.0, 3.0, 103.0, 103.0] of class 0 with score 0.9'),
    (found(labels=(0, 1, 1)), 'only the file has a box [0.0, 200.0, 50.0, 250.0] of class 1'),
    (found(scores=(.9, .49, .1)), 'a score is 0.01 off'),
    (found(BOXES[:2], (.9, .5), (0, 1)), 'of class 0 with score 0.1000'),
    (found([*BOXES, [60, 60, 90, 90]], (.9, .5, .1, .08), (0, 1, 0, 2)), '[60.0, 60.0, 90.0, 90.0] of class 2'),
    (found([], (), ()), 'only the model has a box'),
])
def test_what_cannot_be_rounding(given, text):
    assert text in problem(found(), given)


def test_what_may_be_rounding():
    weak, at_threshold, alike = [60, 160, 90, 190], [25, 0, 125, 100], [5, 0, 105, 100]
    assert problem(found(), found([*BOXES, weak], (.9, .5, .1, .0255), (0, 1, 0, 0)),
                   candidates=[(weak, .0255)]) is None
    # The last of as many as there may be: another one of nearly the same score may take its place.
    assert problem(found(), found([*BOXES[:2], weak], (.9, .5, .0995), (0, 1, 0)), {**RULES, 'max_per_img': 3},
                   [(weak, .0995)]) is None
    # An overlap of just the threshold, 75 of 125 pixels, and either of two equally good boxes.
    assert problem(found(), found([*BOXES, at_threshold], (.9, .5, .1, .4), (0, 1, 0, 0)),
                   candidates=[(at_threshold, .4)]) is None
    assert problem(found(), found([alike, *BOXES[1:]], (.9003, .5, .1)), candidates=[(alike, .9002)]) is None
    assert 'only the file' in problem(found(), found([alike, *BOXES[1:]], (.9003, .5, .1)))


def test_label_maps():
    own, given = np.zeros((2, 2), np.uint8), np.array([[0, 1], [0, 0]], np.uint8)
    assert problem(LabelMap(own), LabelMap(given)) == '1 pixels of another class'
    assert compare(LabelMap(own), LabelMap(given), {}, lambda: given == 1).problem is None
    assert 'a label map of (1, 2)' in problem(LabelMap(own), LabelMap(given[:1]))


def classes(labels, scores) -> Classification:
    return Classification(labels[0], f'class {labels[0]}', np.array(labels), np.array(scores, np.float32))


def test_classes():
    own = classes([3, 1, 2], [.5, .3, .1])
    assert problem(own, classes([3, 1, 4], [.5, .3, .1002])) is None
    assert problem(own, classes([3, 1, 4], [.5, .3, .2])) == 'other classes among the best'
    assert problem(own, classes([1, 3, 2], [.5, .3, .1])) == "class 'class 1' for 'class 3'"
