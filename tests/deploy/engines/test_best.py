import json
import logging
import multiprocessing
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.engines import ENGINES, Engine, EngineError, Prepared, best
from lcvision.deploy.engines.best import BestEngine, EngineCache, conditions, structure_hash
from lcvision.timing.rounds import Budget, quietly
from tests.latency.small_net import SmallNet, small_net


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


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'folder' / 'best_engine.json'


def state(**changes):
    engines = [ENGINES[name] for name in ('eager', 'onnxruntime', 'openvino')]
    arguments = dict(precision='fp32', threads=1, engines=engines)
    size = changes.pop('size', (8, 8))
    network = changes.pop('network', None) or small_net()
    return conditions(network, torch.ones(1, 3, *size), **{**arguments, **changes})


def test_a_choice_is_kept_in_a_readable_file(path):
    cache = EngineCache(path)
    assert cache.get(state()) is None
    cache.put(state(), 'inductor', {'eager': 2., 'inductor': 1.})
    cache.put(state(threads=2), 'eager', {'eager': 1.})
    assert EngineCache(path).get(state()) == 'inductor' and EngineCache(path).get(state(threads=2)) == 'eager'
    first = next(iter(json.loads(path.read_text())['choices'].values()))
    assert first['medians_ms'] == {'eager': 2, 'inductor': 1} and first['conditions']['input'] == [8, 8]


def _put(path, number):
    for step in range(20):
        EngineCache(path).put({'step': step, 'process': number}, 'eager', {})


def test_processes_lose_none_of_each_other_s_choices(path):
    processes = [multiprocessing.get_context('fork').Process(target=_put, args=(path, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(json.loads(path.read_text())['choices']) == 80


@pytest.mark.parametrize('change', [dict(threads=2), dict(precision='bf16'), dict(size=(8, 16)),
                                    dict(engines=[ENGINES['eager']]), dict(network=SmallNet(12))])
def test_other_conditions_have_a_choice_of_their_own(path, change):
    cache = EngineCache(path)
    cache.put(state(), 'eager', {})
    assert cache.get(state(**change)) is None


def test_another_cpu_or_version_has_a_choice_of_its_own(path, monkeypatch):
    cache = EngineCache(path)
    cache.put(state(), 'eager', {})
    with monkeypatch.context() as patch:
        patch.setattr(environment, 'cpu', lambda: {'cpu': 'Other CPU', 'flags': []})
        assert cache.get(state()) is None
    versions = environment.versions()
    for name in ('torch', 'onnxruntime', 'openvino'):
        with monkeypatch.context() as patch:
            patch.setattr(environment, 'versions', lambda name=name: {**versions, name: '99'})
            assert cache.get(state()) is None
    assert cache.get(state()) == 'eager'


@pytest.mark.parametrize('name, value', [('affinity', [0]), ('cgroup_quota', 1.5)])
def test_fewer_cpus_have_a_choice_of_their_own(path, monkeypatch, name, value):
    monkeypatch.setattr(environment, 'affinity', lambda: [0, 1])
    monkeypatch.setattr(environment, 'cgroup_quota', lambda: None)
    cache = EngineCache(path)
    cache.put(state(), 'eager', {})
    monkeypatch.setattr(environment, name, lambda: value)
    assert cache.get(state()) is None


def test_a_user_without_a_home_remembers_nothing(monkeypatch):
    def homeless(path):
        raise RuntimeError('Could not determine home directory.')

    monkeypatch.delenv('XDG_CACHE_HOME', raising=False)
    monkeypatch.setattr(Path, 'expanduser', homeless)
    cache = EngineCache()
    cache.put(state(), 'eager', {})
    assert cache.get(state()) is None


def test_structure_is_more_than_the_shapes_of_weights():
    network = small_net()
    before = structure_hash(network)
    nn.init.normal_(network.head.weight)
    assert structure_hash(network) == before
    network.stem.stride = (1, 1)
    assert structure_hash(network) != before


@pytest.mark.parametrize('content', [b'{"schema": 1, "cho', b'\xff\xfe', b'[]', b'{"schema": 2, "choices": {}}',
                                     b'{"schema": 1, "choices": {"a": 3}}', b'{"schema": 1}'])
def test_a_damaged_file_is_ignored_with_a_note_and_replaced(path, content, caplog):
    path.parent.mkdir()
    path.write_bytes(content)
    cache = EngineCache(path)
    with caplog.at_level(logging.WARNING, 'lcvision'):
        assert cache.get(state()) is None
    assert f'the remembered engines are not used: {path}' in caplog.text
    cache.put(state(), 'eager', {})
    assert EngineCache(path).get(state()) == 'eager'


def test_a_folder_that_cannot_be_written_is_a_note(tmp_path, caplog):
    (tmp_path / 'file').write_text('')
    cache = EngineCache(tmp_path / 'file' / 'best_engine.json')
    with caplog.at_level(logging.WARNING, 'lcvision'):
        cache.put(state(), 'eager', {})
    assert 'the choice of engine is not remembered' in caplog.text


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert EngineCache().path == tmp_path / 'lcvision' / 'best_engine.json'
    monkeypatch.setenv('XDG_CACHE_HOME', 'relative')
    assert EngineCache().path == Path.home() / '.cache' / 'lcvision' / 'best_engine.json'
    monkeypatch.delenv('XDG_CACHE_HOME')
    assert EngineCache().path.is_absolute()
