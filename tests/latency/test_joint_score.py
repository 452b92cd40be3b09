"""Accuracy and latency as one number."""
import pytest

from lcvision.latency.joint_score import JointScore


def test_within_the_budget_the_metric_counts_alone():
    score = JointScore('top1', 10.)
    assert score(0.7, 10.) == score(0.7, 1.) == 0.7


def test_at_twice_the_budget_five_percent_are_lost():
    assert JointScore('top1', 10.)(0.7, 20.) == pytest.approx(0.7 * 0.9526, rel=1e-3)
    assert JointScore('top1', 10., weight=1.)(0.7, 20.) == pytest.approx(0.35)
    assert JointScore('top1', 10., weight=0)(0.7, 20.) == 0.7


def test_the_score_falls_with_latency_and_grows_with_accuracy():
    score = JointScore('top1', 10.)
    assert score(0.5, 20.) > score(0.5, 30.) and score(0.6, 20.) > score(0.5, 20.)


@pytest.mark.parametrize('wrong, word', [
    (dict(metric=''), 'metric'), (dict(metric=3), 'metric'), (dict(budget_ms=0), 'budget_ms'),
    (dict(budget_ms='1'), 'budget_ms'), (dict(weight=-1), 'weight'), (dict(weight=True), 'weight'),
    (dict(scope='both'), 'scope')])
def test_wrong_arguments(wrong, word):
    with pytest.raises(ValueError, match=word):
        JointScore(**{**dict(metric='top1', budget_ms=1.), **wrong})
