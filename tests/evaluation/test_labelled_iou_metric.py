"""mIoU over the classes that are there."""
import json

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmseg.evaluation import IoUMetric

from lcvision.evaluation.labelled_iou_metric import LabelledIoUMetric

CLASSES = ('road', 'car', 'bus', 'train')


@pytest.fixture(autouse=True)
def logger():
    MMLogger.get_instance('test_labelled_iou_metric')


def evaluate(kind, *pairs, **kwargs):
    """Metrics of pairs of labels and predictions."""
    metric = kind(**kwargs)
    metric.dataset_meta = dict(classes=CLASSES)
    for truth, found in pairs:
        truth, found = (torch.tensor(labels)[None] for labels in (truth, found))
        metric.process({}, [dict(pred_sem_seg=dict(data=found), gt_sem_seg=dict(data=truth))])
    return metric.evaluate(len(pairs))


def test_equal_to_mmseg_where_every_class_is_there():
    rng = np.random.default_rng(0)
    pairs = [tuple(rng.choice([0, 1, 2, 3, 255][:5 - found], (6, 8)).tolist() for found in (0, 1)) for _ in range(3)]
    ours, theirs = (evaluate(kind, *pairs, iou_metrics=['mIoU', 'mDice', 'mFscore'])
                    for kind in (LabelledIoUMetric, IoUMetric))
    assert ours.keys() == theirs.keys() and 0 < ours['mIoU'] < 100
    assert all(ours[name] == pytest.approx(theirs[name], abs=0.01) for name in ours)


def test_absent_classes_do_not_count():
    # Road: 4 labelled, 3 found, none else: 3/4. Car: 2 of 2. One road pixel is taken for a bus.
    pair = [[0, 0, 0, 0, 1, 1, 255]], [[0, 0, 0, 2, 1, 1, 3]]
    ours, theirs = evaluate(LabelledIoUMetric, pair), evaluate(IoUMetric, pair)
    assert ours['mIoU'] == 87.5 and ours['mAcc'] == 87.5 and ours['aAcc'] == pytest.approx(83.33)
    assert theirs['mIoU'] == pytest.approx(58.33, abs=0.01)


def test_absence_is_that_from_the_whole_split():
    metrics = evaluate(LabelledIoUMetric, ([[0, 0]], [[0, 2]]), ([[2, 2]], [[2, 2]]))
    assert metrics['mIoU'] == pytest.approx((50 + 200 / 3) / 2, abs=0.01)


def test_a_present_class_that_is_never_found_counts_as_nothing():
    metrics = evaluate(LabelledIoUMetric, ([[0, 1]], [[0, 0]]), iou_metrics=['mIoU', 'mFscore'])
    assert metrics['mIoU'] == 25 and metrics['mPrecision'] == 25


def test_nothing_labelled_is_zero():
    metrics = evaluate(LabelledIoUMetric, ([[255, 255]], [[0, 1]]))
    assert set(metrics.values()) == {0.}


def test_mean_comes_first_and_everything_is_a_plain_number():
    metrics = evaluate(LabelledIoUMetric, ([[0, 1]], [[0, 0]]))
    assert next(iter(metrics)) == 'mIoU' and json.loads(json.dumps(metrics)) == metrics


def test_absent_classes_are_named(caplog):
    with caplog.at_level('INFO', 'mmengine'):
        MMLogger.get_current_instance().addHandler(caplog.handler)
        evaluate(LabelledIoUMetric, ([[0, 2]], [[0, 0]]))
    assert 'means are over 2 of 4 classes; not in the ground truth: car, train' in caplog.text
