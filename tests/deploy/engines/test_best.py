import logging
import time

import pytest
import torch

from lcvision.deploy.engines import Engine, EngineError, Prepared, best
from lcvision.deploy.engines.best import BestEngine
from lcvision.deploy.engines.engine_cache import EngineCache
from lcvision.timing.rounds import Budget, quietly
from tests.latency.small_net import small_net


class Slow(Engine):
    name = 'slow'
    milliseconds = 6.
    factor = 1.

    def __init__(self):
        self.prepared = 0

    def missing(self):
        return None

    def prepare(self, network, example, *, precision, threads):
        self.prepared += 1

        def run(x):
            time.sleep(self.milliseconds / 1e3)
            return tuple(y * self.factor for y in network(x))

        return Prepared(run, example, 0.1)


class Quick(Slow):
    name = 'quick'
    milliseconds = 0.
    precisions = ('fp32', 'bf16')


class Wrong(Quick):
    name = 'wrong'
    factor = 1.1


class Refusing(Slow):
    name = 'refusing'

    def prepare(self, network, example, *, precision, threads):
        raise EngineError('not this network')


@pytest.fixture(autouse=True)
def noise(monkeypatch):
    """What speaks against a measurement; nothing, whatever else this machine does."""
    reasons = []
    monkeypatch.setattr(best, 'noise_reasons', lambda *_: reasons)
    return reasons


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    monkeypatch.setattr(best, '_BUDGET', Budget(samples=6, rounds=2, warmup_seconds=0.05))


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / 'best_engine.json')


def prepare(engine, size=(16, 24), precision='fp32', network=None):
    return quietly(lambda: engine.prepare(network or small_net(), torch.ones(1, 3, *size), precision=precision,
                                          threads=1), 1)


def test_the_quickest_right_engine_is_taken_and_named(cache):
    told = []
    engine = BestEngine([Slow(), Wrong(), Quick(), Refusing()], cache=cache)
    engine.progress = told.append
    assert prepare(engine).engine == 'quick'
    assert len(told) == 4 and 'preparing wrong' in told[1]


def test_the_choice_is_looked_up_by_later_processes(cache):
    prepare(BestEngine([Slow(), Quick()], cache=cache))
    slow, quick = Slow(), Quick()
    later = BestEngine([slow, quick], cache=EngineCache(cache.path))
    assert prepare(later).engine == 'quick'
    assert (slow.prepared, quick.prepared) == (0, 1)
    prepare(later, size=(24, 24))
    prepare(later, precision='bf16')
    assert (slow.prepared, quick.prepared) == (1, 3)
    prepare(BestEngine([slow, quick], fresh=True, cache=cache))
    assert (slow.prepared, quick.prepared) == (2, 4)


def test_a_choice_on_a_busy_machine_is_not_remembered(cache, noise, caplog):
    noise.append('other processes used 1.0 of 2 CPUs')
    slow, quick = Slow(), Quick()
    with caplog.at_level(logging.WARNING, 'lcvision'):
        assert prepare(BestEngine([slow, quick], cache=cache)).engine == 'quick'
    assert 'not remembered: other processes used 1.0 of 2 CPUs' in caplog.text and not cache.path.exists()
    noise.clear()
    prepare(BestEngine([slow, quick], cache=cache))
    prepare(BestEngine([slow, quick], cache=cache))
    assert (slow.prepared, quick.prepared) == (2, 3)


def test_new_weights_do_not_ask_for_new_measurements_but_for_the_check(cache, caplog):
    prepare(BestEngine([Slow(), Quick()], cache=cache))
    slow, quick = Slow(), Quick()
    network = small_net()
    torch.nn.init.normal_(network.head.weight)
    assert prepare(BestEngine([slow, quick], cache=cache), network=network).engine == 'quick'
    assert slow.prepared == 0
    quick.factor = 1.1
    with caplog.at_level(logging.WARNING, 'lcvision'):
        assert prepare(BestEngine([slow, quick], cache=cache)).engine == 'slow'
    assert 'engine quick, the quickest so far, is not used: its output differs' in caplog.text


def test_no_engine_runs_it(cache):
    with pytest.raises(EngineError, match=r'wrong: its output differs .*; refusing: not this network'):
        prepare(BestEngine([Wrong(), Refusing()], cache=cache))
    assert not cache.path.exists()


def test_precisions_are_those_of_any_candidate(cache):
    assert BestEngine([Slow(), Quick()], cache=cache).precisions == ('fp32', 'bf16')
    assert prepare(BestEngine([Slow(), Quick()], cache=cache), precision='bf16').engine == 'quick'
