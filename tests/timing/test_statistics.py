import tracemalloc

import numpy as np
import pytest

from lcvision import environment
from lcvision.timing.contention import Contention
from lcvision.timing.rounds import Series
from lcvision.timing.statistics import drift, median_interval, noise_reasons, summarize


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Sets the CPUs that there are and how many share a core."""
    def change(cpus, per_core=1):
        monkeypatch.setattr(environment, 'affinity', lambda: list(range(cpus)))
        monkeypatch.setattr(environment, 'cores', lambda: [
            set(range(i, i + per_core)) for i in range(0, cpus, per_core)])
    change(2)
    return change


def series(samples=None, switches=0, cpu_seconds=2., **contention):
    samples = np.full(200, 10.) if samples is None else samples
    return Series(dict(enumerate(np.split(samples, 10))), switches, cpu_seconds, contention=Contention(**contention))


def test_known_series():
    summary = summarize([np.arange(1, 102)])
    assert (summary.median, summary.p10, summary.p90, summary.min, summary.iqr) == (51, 11, 91, 1, 50)


def test_order_does_not_matter_and_seed_fixes_the_interval():
    samples = np.random.default_rng(3).gamma(2, 5, 200)
    first, second = summarize([samples]), summarize([samples])
    assert first == second
    assert summarize([np.sort(samples)]).median == first.median


def test_p90_needs_64_samples():
    assert summarize([np.ones(63)]).p90 is None
    assert summarize([np.ones(64)]).p90 == 1


def test_p99_needs_662_samples():
    samples = np.arange(1., 663)
    assert summarize([samples[:661]]).p99 is None and summarize([samples[:661]]).to_json()['p99'] is None
    assert summarize([samples]).p99 == pytest.approx(np.percentile(samples, 99))


def test_spikes_do_not_move_the_median():
    samples = np.full(200, 8.)
    samples[::8] = 300
    summary = summarize(np.split(samples, 10))
    assert summary.median == 8 and summary.ci95 == (8, 8) and summary.p90 == 300


def test_interval_covers_the_true_median():
    rng = np.random.default_rng(0)
    truth = np.log(2)
    intervals = np.array([median_interval([rng.exponential(size=60)]) for _ in range(100)])
    covered = ((intervals[:, 0] <= truth) & (truth <= intervals[:, 1])).mean()
    assert 0.9 <= covered <= 0.99


def test_interval_narrows_with_samples():
    rng = np.random.default_rng(1)
    few, many = median_interval([rng.normal(10, 1, 50)]), median_interval([rng.normal(10, 1, 5000)])
    assert many[1] - many[0] < (few[1] - few[0]) / 4


@pytest.mark.parametrize('rounds, samples', [(10, 20), (4, 3)])
def test_interval_covers_the_true_median_of_samples_that_share_their_rounds(rounds, samples):
    rng, covered = np.random.default_rng(0), 0
    for _ in range(40):
        blocks = np.exp(rng.normal(0, 0.03, (rounds, 1)) + rng.normal(0, 0.02, (rounds, samples)))
        low, high = median_interval(list(blocks))
        covered += low <= 1 <= high
    assert covered >= 33


def test_a_hundred_thousand_samples_take_no_gigabytes():
    rng = np.random.default_rng(0)
    tracemalloc.start()
    try:
        median_interval([rng.normal(10, 1, 5000) for _ in range(4)])
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


def test_drift():
    assert drift(np.full(10, 3.)) == 0
    assert drift(np.r_[np.full(100, 10.), np.full(100, 12.)]) == pytest.approx(0.2)
    assert drift([1., 2., 3.]) == 0


def test_quiet_series_has_no_reasons():
    assert noise_reasons(series(np.random.default_rng(0).normal(10, 0.3, 200)), 1) == []


@pytest.mark.parametrize('change, word', [
    (dict(others=1.), 'other processes used 1.0 of 2 CPUs'),
    (dict(siblings=0.8), 'used 0.8 CPUs that share cores with ours'),
    (dict(throttled=0.2), 'stopped us for 20% of the time'),
    (dict(switches=240), '120 involuntary context switches a CPU second'),
])
def test_each_disturbance_is_named(change, word):
    reasons = noise_reasons(series(**change), 1)
    assert len(reasons) == 1 and word in reasons[0]


def test_switches_count_by_the_time_and_not_by_the_sample():
    slow, quick = np.full(20, 300.), np.full(200, 0.2)
    assert noise_reasons(series(slow, switches=20, cpu_seconds=6.), 1) == []
    assert noise_reasons(series(quick, switches=8, cpu_seconds=0.04), 1)


def test_drift_is_named_with_its_sign():
    reasons = noise_reasons(series(np.linspace(12, 10, 200)), 1)
    assert len(reasons) == 1 and 'drifted by -' in reasons[0]


def test_busy_neighbours_on_a_large_machine_do_no_harm(machine):
    machine(64)
    assert noise_reasons(series(others=20.), 4) == []
    assert noise_reasons(series(others=60.), 4)


def test_busy_neighbours_that_must_share_cores_do_harm(machine):
    machine(64, per_core=2)
    assert noise_reasons(series(others=20.), 4) == []
    assert noise_reasons(series(others=30.), 4)


@pytest.mark.parametrize('blocks', [[], [[]], [[1., float('nan')]], [[1.], [0.]], [[[1., 2.]]]])
def test_wrong_series(blocks):
    with pytest.raises(ValueError, match='series'):
        summarize(blocks)
