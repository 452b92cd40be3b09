import json
import logging
import multiprocessing
from pathlib import Path

import pytest
import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.engines import ENGINES
from lcvision.deploy.engines.engine_cache import EngineCache, conditions, structure_hash
from tests.latency.small_net import SmallNet, small_net


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
