"""The A/A check on synthetic series."""
import numpy as np
import pytest

from lcvision.latency.compare import describe_floor, floor_of, mark_noisy, noise_floor
from lcvision.latency.record import LatencyRecord, Summary
from lcvision.timing.rounds import Series


def row(threads=2):
    return LatencyRecord(config='a.py', task='detection', engine='eager', precision='fp32', threads=threads,
                         input=[8, 8], latency_ms=Summary(8., (8., 8.)), samples=3)


def samples(median, seed, spread=0.02, count=200):
    return median * np.exp(np.random.default_rng(seed).normal(0, spread, count))


def series(*args, rounds=10, factor=1., **kwargs):
    return Series(dict(enumerate(np.array_split(samples(*args, **kwargs) * factor, rounds))))


def test_equal_series_have_a_small_floor_that_covers_no_difference():
    twins = noise_floor(row(), series(8., 1), series(8., 2))
    assert abs(twins['difference']) < 0.01 and twins['ci95'][0] < 0 < twins['ci95'][1]
    assert abs(twins['difference']) <= twins['floor'] < 0.02


def test_a_known_difference_is_found():
    twins = noise_floor(row(), series(8., 1), series(8.8, 2))
    assert twins['difference'] == pytest.approx(0.1, abs=0.01)
    assert twins['ci95'][0] > 0.08 and twins['floor'] >= 0.1


def test_spread_and_few_samples_raise_the_floor():
    quiet = noise_floor(row(), series(8., 1), series(8., 2))['floor']
    assert noise_floor(row(), series(8., 1, spread=0.3), series(8., 2, spread=0.3))['floor'] > 3 * quiet
    assert noise_floor(row(), series(8., 1, count=8, rounds=4), series(8., 2, count=8, rounds=4))['floor'] > quiet


def test_spikes_and_common_drift_do_not_count():
    drifting = np.linspace(1, 1.3, 200)
    first, second = series(8., 1, factor=drifting), series(8., 2, factor=drifting)
    for block in second.blocks.values():
        block[0] = 400
    twins = noise_floor(row(), first, second)
    assert abs(twins['difference']) < 0.05 and twins['floor'] < 0.05


def test_the_interval_holds_no_difference_when_rounds_shift_the_twins():
    """Samples of one block share its state: 20 of them are not 20 witnesses of a difference."""
    rng, held = np.random.default_rng(0), 0
    for seed in range(40):
        shifts = [np.repeat(np.exp(rng.normal(0, 0.02, 10)), 20) for _ in range(2)]
        twins = (series(8., 2 * seed + i, factor=shift) for i, shift in enumerate(shifts))
        low, high = noise_floor(row(), *twins)['ci95']
        held += low <= 0 <= high
    assert held >= 35


def test_rounds_that_one_twin_left_out_do_not_count():
    first, second = series(8., 1), series(8., 2)
    del second.blocks[3]
    assert noise_floor(row(), first, second)['floor'] < 0.02


def test_the_seed_fixes_the_interval():
    assert noise_floor(row(), series(8., 1), series(8., 2)) == noise_floor(row(), series(8., 1), series(8., 2))


@pytest.mark.parametrize('difference, noisy', [(0.029, False), (-0.029, False), (0.05, True), (-0.05, True)])
def test_rows_beside_unequal_twins_are_noisy(difference, noisy):
    record = row()
    mark_noisy([record], dict(difference=difference))
    assert record.noisy is noisy
    assert record.noisy_because == (['the same engine measured twice differed by 5.0%'] if noisy else [])


def test_the_floor_belongs_to_its_number_of_threads():
    record = row()
    floor = noise_floor(record, series(8., 1), series(8.8, 2))
    assert floor['config'] == 'a.py' and 'samples' not in floor
    assert floor_of(record, [floor]) == floor['floor'] and floor_of(row(threads=1), [floor]) == 0
    line = describe_floor(floor)
    assert 'eager twice differs by +' in line and len(line) <= 100
