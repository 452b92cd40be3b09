import numpy as np
import pytest

from lcvision.latency.statistics import drift, median_interval, noise_reasons, rank_correlation, summarize

QUIET = dict(switches=0, others=0., threads=1, cpus=2)


def test_known_series():
    summary = summarize(np.arange(1, 102))
    assert (summary.median, summary.p10, summary.p90, summary.min, summary.iqr) == (51, 11, 91, 1, 50)


def test_order_does_not_matter_and_seed_fixes_the_interval():
    series = np.random.default_rng(3).gamma(2, 5, 200)
    first, second = summarize(series), summarize(series)
    assert first == second
    assert summarize(np.sort(series)).median == first.median


def test_p90_needs_64_samples():
    assert summarize(np.ones(63)).p90 is None
    assert summarize(np.ones(64)).p90 == 1


def test_p99_needs_662_samples():
    series = np.arange(1., 663)
    assert summarize(series[:661]).p99 is None and summarize(series[:661]).as_json()['p99'] is None
    assert summarize(series).p99 == pytest.approx(np.percentile(series, 99))


def test_rank_correlation_of_known_orders():
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 99]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [9, 4, 1]) == pytest.approx(-1)
    # 1 - 6 * (1 + 1) / (4 * 15)
    assert rank_correlation([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)
    # ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3
    assert rank_correlation([1, 5, 5, 9], [1, 2, 3, 4]) == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    assert rank_correlation([1, 2], [1, 2]) is None and rank_correlation([1, 1, 1], [1, 2, 3]) is None
    with pytest.raises(ValueError, match='2 and 3'):
        rank_correlation([1, 2], [1, 2, 3])


def test_spikes_do_not_move_the_median():
    series = np.full(200, 8.)
    series[::8] = 300
    summary = summarize(series)
    assert summary.median == 8 and summary.ci95 == (8, 8) and summary.p90 == 300


def test_interval_covers_the_true_median():
    rng = np.random.default_rng(0)
    truth = np.log(2)
    intervals = np.array([median_interval(rng.exponential(size=60)) for _ in range(200)])
    covered = ((intervals[:, 0] <= truth) & (truth <= intervals[:, 1])).mean()
    assert 0.9 <= covered <= 0.99


def test_interval_narrows_with_samples():
    rng = np.random.default_rng(1)
    few, many = median_interval(rng.normal(10, 1, 50)), median_interval(rng.normal(10, 1, 5000))
    assert many[1] - many[0] < (few[1] - few[0]) / 4


def test_drift():
    assert drift(np.full(10, 3.)) == 0
    assert drift(np.r_[np.full(100, 10.), np.full(100, 12.)]) == pytest.approx(0.2)
    assert drift([1., 2., 3.]) == 0


def test_quiet_series_has_no_reasons():
    assert noise_reasons(np.random.default_rng(0).normal(10, 0.3, 200), **QUIET) == []


@pytest.mark.parametrize('change, word', [
    (dict(others=1.), 'other processes'),
    (dict(switches=120), 'context switches'),
])
def test_each_disturbance_is_named(change, word):
    reasons = noise_reasons(np.full(200, 10.), **{**QUIET, **change})
    assert len(reasons) == 1 and word in reasons[0]


def test_drift_is_named_with_its_sign():
    reasons = noise_reasons(np.linspace(12, 10, 200), **QUIET)
    assert len(reasons) == 1 and 'drifted by -' in reasons[0]


def test_busy_neighbours_on_a_large_machine_do_no_harm():
    assert noise_reasons(np.full(200, 10.), switches=0, others=20., threads=4, cpus=64) == []
    assert noise_reasons(np.full(200, 10.), switches=0, others=60., threads=4, cpus=64)


@pytest.mark.parametrize('series', [[], [1., float('nan')], [0.], [[1., 2.]]])
def test_wrong_series(series):
    with pytest.raises(ValueError, match='series'):
        summarize(series)
