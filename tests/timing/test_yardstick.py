"""The yardstick on synthetic and on real work."""
import gc
import resource
from pathlib import Path

import numpy as np
import pytest

from lcvision.allocator import keep_freed_memory
from lcvision.timing import yardstick
from lcvision.timing.rounds import Budget, Series, measure_rounds
from lcvision.timing.yardstick import KINDS, Yardstick, yardstick_moves


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(yardstick, '_MIN_STREAM', 1 << 22)
    return Yardstick()


def drifting(speed):
    """A series of 8 ms, and its yardstick, on a machine of so much speed in each round."""
    rng = np.random.default_rng(0)
    return Series({turn: 8 / x * np.exp(rng.normal(0, 0.01, 20)) for turn, x in enumerate(speed)},
                  yardstick={turn: np.array([0.5, 0.1, 0.8]) / x for turn, x in enumerate(speed)},
                  readings=np.array([[0.5 / x, 0.1 / x, 0.8 / x] for x in speed]))


def test_a_machine_that_slows_down_leaves_the_ratio_as_it_is(small):
    quiet, slow = (small.record(drifting(speed)) for speed in (np.ones(10), np.linspace(1, 0.7, 10)))
    for kind, ratio in zip(KINDS, (16, 80, 10), strict=True):
        assert quiet[kind]['ratio'] == pytest.approx(ratio, rel=0.01)
        assert slow[kind]['ratio'] == pytest.approx(quiet[kind]['ratio'], rel=0.005)
        assert slow[kind]['ci95'][1] / slow[kind]['ci95'][0] < 1.02 and slow[kind]['ms'] > 1.1 * quiet[kind]['ms']


def test_a_yardstick_that_moves_is_named():
    assert yardstick_moves(drifting(np.ones(10))) == []
    assert yardstick_moves(drifting([1.] * 9 + [0.3])) == []
    compute, memory, network = yardstick_moves(drifting(np.linspace(1, 0.7, 10)))
    assert 'the compute yardstick moved by 3' in compute
    assert 'memory yardstick' in memory and 'network yardstick' in network


def test_it_is_read_around_each_block():
    readings = iter([[1.], [3.], [5.], [7.], [9.]])
    first, second = measure_rounds([lambda: None] * 2, Budget(samples=4, rounds=2, warmup_seconds=0.01),
                                   yardstick=lambda: next(readings))
    assert first.yardstick == {0: [2.], 1: [8.]} and second.yardstick == {0: [4.], 1: [6.]}
    assert first.readings.tolist() == second.readings.tolist() == [[1.], [3.], [5.], [7.], [9.]]


def test_real_work_takes_time(small):
    assert len(small()) == len(KINDS) and min(small()) > 0
    assert small.work == ('4 float32 products of 192x192', '2 of 2 MiB copied',
                          '4 depthwise-separable layers in eager torch')


@pytest.mark.skipif(not Path('/proc/self/statm').exists(), reason='the system does not say what is resident')
def test_its_memory_goes_back_to_the_system(monkeypatch):
    def resident():
        gc.collect()
        return int(Path('/proc/self/statm').read_text().split()[1]) * resource.getpagesize()

    keep_freed_memory()
    monkeypatch.setattr(yardstick, '_MIN_STREAM', 64 << 20)
    held = Yardstick()
    during = resident()
    del held
    assert during - resident() >= 64 << 20
