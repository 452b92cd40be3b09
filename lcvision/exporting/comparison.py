"""Whether a file's results are the model's own."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lcvision.inference.results import Classification, Detections, LabelMap, Result

# Least IoU of two boxes that are the same, and largest difference of their scores.
SAME_IOU, SAME_SCORE = 0.99, 1e-3


@dataclass(frozen=True)
class Difference:
    """How far two results are apart.

    Attributes:
        largest: Largest difference of scores of what is in both; of label maps the share of pixels that differ.
        compared: Boxes, classes or images that were compared.
        problem: What cannot be rounding, as a clause; None for nothing.
    """

    largest: float
    compared: int
    problem: str | None = None


def compare(own: Result, given: Result, rules: dict[str, Any], evidence: Callable[[], Any]) -> Difference:
    """Compares a file's result with the model's.

    Args:
        own: The model's.
        given: The file's.
        rules: Thresholds of a detector.
        evidence: Gives the model's boxes before suppression, or the pixels of a label map whose two best classes are
            within rounding.
    """
    if isinstance(own, Detections) and isinstance(given, Detections):
        return _compare_boxes(own, given, rules, evidence)
    if isinstance(own, LabelMap) and isinstance(given, LabelMap):
        if own.labels.shape != given.labels.shape:
            return Difference(1., 1, f'a label map of {given.labels.shape} for one of {own.labels.shape}')
        other = own.labels != given.labels
        share = float(other.mean())
        wrong = int((other & ~evidence()).sum()) if other.any() else 0
        return Difference(share, 1, f'{wrong} pixels of another class' if wrong else None)
    assert isinstance(own, Classification) and isinstance(given, Classification)
    ours, theirs = (dict(zip(one.labels.tolist(), one.scores.tolist(), strict=True)) for one in (own, given))
    largest = max((abs(ours[label] - theirs[label]) for label in ours.keys() & theirs.keys()), default=1.)
    last = min(ours.values())
    foreign = [score for one, two in ((ours, theirs), (theirs, ours)) for label, score in one.items()
               if label not in two and abs(score - last) > SAME_SCORE]
    swapped = own.label != given.label and abs(ours[own.label] - ours.get(given.label, 0.)) > SAME_SCORE
    return Difference(largest, 1, f'class {given.name!r} for {own.name!r}' if swapped else
                      'other classes among the best' if foreign else None)


def _compare_boxes(own: Detections, given: Detections, rules: dict[str, Any],
                   evidence: Callable[[], Detections]) -> Difference:
    overlaps, apart = _pairs(own, given)
    free, pairs = np.ones(len(given), bool), []
    for place, row in enumerate(overlaps):
        same = np.flatnonzero(free & (row >= SAME_IOU))
        if len(same):
            best = same[apart[place, same].argmin()]
            free[best] = False
            pairs.append((place, best))
    largest = max((float(apart[pair]) for pair in pairs), default=0.)
    lone = np.ones(len(own), bool)
    lone[[first for first, _ in pairs]] = False
    wrong = _unexplained(own, given, lone, free, rules, evidence)
    text = None
    if wrong:
        side, place = wrong
        one = (own, given)[side]
        text = (f'{"only the file" if side else "only the model"} has a box {one.boxes[place].round(1).tolist()} of '
                f'class {one.labels[place]} with score {one.scores[place]:.4f}')
    elif largest > SAME_SCORE:
        text = f'a score is {largest:.2g} off'
    return Difference(largest, max(len(own), len(given)), text)


def _unexplained(own: Detections, given: Detections, lone: np.ndarray, free: np.ndarray,
                 rules: dict[str, Any], evidence: Callable[[], Detections]) -> tuple[int, int] | None:
    """A box that one has alone, for which no threshold is near: side (0 the model's) and place."""
    boxes = np.concatenate((own.boxes, given.boxes))
    scores, labels = np.concatenate((own.scores, given.scores)), np.concatenate((own.labels, given.labels))
    single = np.concatenate((lone, free))
    if not single.any():
        return None
    if free.any():
        overlaps, apart = _pairs(given, evidence())
        made_up = free & ~((overlaps >= SAME_IOU) & (apart <= SAME_SCORE)).any(1)
        if made_up.any():
            return 1, int(np.flatnonzero(made_up)[0])
    limits = [rules['score_thr'], *(one.scores[-1] for one in (own, given) if len(one) >= rules['max_per_img'])]
    explained = ~single | (np.abs(scores[:, None] - np.array(limits)) < SAME_SCORE).any(1)
    overlaps = ious(boxes, boxes) * (labels[:, None] == labels) * ~np.eye(len(boxes), dtype=bool)
    # A pair at the threshold, or two equally good of which either suppresses the other.
    near = np.abs(overlaps - rules['iou_threshold']) < SAME_SCORE
    alike = (overlaps > rules['iou_threshold']) & (np.abs(scores[:, None] - scores) < SAME_SCORE) & single
    explained |= (near | alike).any(1)
    # What such a box suppresses, or no longer does, follows it.
    for _ in range(len(boxes)):
        more = explained | ((overlaps > rules['iou_threshold']) & (single & explained)).any(1)
        if (more == explained).all():
            break
        explained = more
    left = np.flatnonzero(~explained)
    if not len(left):
        return None
    worst = int(left[scores[left].argmax()])
    return (0, worst) if worst < len(own) else (1, worst - len(own))


def _pairs(first: Detections, second: Detections) -> tuple[np.ndarray, np.ndarray]:
    """IoUs (n, m) of boxes of one class, 0 for others, and differences of scores."""
    overlaps = ious(first.boxes, second.boxes) * (first.labels[:, None] == second.labels)
    return overlaps, np.abs(first.scores[:, None] - second.scores)


def ious(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """IoU (n, m) of boxes (n, 4) with boxes (m, 4)."""
    low, high = np.maximum(first[:, None, :2], second[None, :, :2]), np.minimum(first[:, None, 2:], second[None, :, 2:])
    inter = (high - low).clip(0).prod(-1)
    areas = [(one[:, 2:] - one[:, :2]).prod(-1) for one in (first, second)]
    return inter / np.maximum(areas[0][:, None] + areas[1] - inter, np.finfo(np.float32).tiny)
