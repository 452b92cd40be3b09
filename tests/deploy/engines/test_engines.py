import importlib.util
import sys

import pytest
import torch

from lcvision import environment
from lcvision.deploy.engines import ENGINES, availability, check_precisions, select_engines
from lcvision.deploy.engines.best import BestEngine
from lcvision.errors import UserError
from lcvision.timing.rounds import quietly
from tests.latency.small_net import small_net

NAMES = ['eager', 'inductor', 'inductor-freezing', 'aot-inductor', 'onnxruntime', 'openvino']


@pytest.fixture
def only_eager(monkeypatch):
    for name, engine in ENGINES.items():
        monkeypatch.setattr(engine, 'missing', lambda name=name: None if name == 'eager' else f'no {name}')


@pytest.fixture
def everything(monkeypatch):
    for engine in ENGINES.values():
        monkeypatch.setattr(engine, 'missing', lambda: None)


def names(engines):
    return [engine.name for engine in engines]


def test_names_are_kept_in_order_without_repeats(everything):
    assert names(select_engines('inductor, eager,inductor')) == ['inductor', 'eager']
    assert names(select_engines('all')) == list(ENGINES) == NAMES


def test_best_chooses_among_the_installed(only_eager):
    best, = select_engines('best', fresh=True)
    assert isinstance(best, BestEngine) and best.fresh and list(best.candidates) == ['eager']


def test_absent_engines_are_listed_and_left_out(only_eager):
    assert availability() == {name: None if name == 'eager' else f'no {name}' for name in NAMES}
    assert names(select_engines('all')) == ['eager']


def test_an_absent_engine_asked_for_by_name(only_eager):
    with pytest.raises(UserError, match="'inductor' is not installed: no inductor; installed here: eager"):
        select_engines('eager,inductor')


@pytest.mark.parametrize('name, package, extra', [
    ('onnxruntime', 'onnxruntime', 'onnx'), ('onnxruntime', 'onnxscript', 'onnx'), ('openvino', 'openvino', 'openvino'),
    ('openvino', 'onnx', 'openvino')])
def test_an_absent_package_is_named_with_its_remedy(monkeypatch, name, package, extra):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda wanted: None if wanted == package else 'found')
    assert ENGINES[name].missing() == f"it needs {package}: pip install 'lcvision[{extra}]'"


def test_asking_does_not_import_the_runtimes(monkeypatch):
    for name in ('onnxruntime', 'openvino', 'onnx', 'onnxscript'):
        for module in [module for module in sys.modules if module.split('.')[0] == name]:
            monkeypatch.delitem(sys.modules, module)
    availability()
    assert not {'onnxruntime', 'openvino', 'onnx', 'onnxscript'} & set(sys.modules)


@pytest.mark.parametrize('spec, message', [('fast', "unknown engine 'fast': engines are eager, inductor"),
                                           ('all,eager', "unknown engine 'all'"), (' , ', 'no engine named')])
def test_unknown_engine(spec, message):
    with pytest.raises(UserError, match=message):
        select_engines(spec)


@pytest.fixture
def cpu_flags(monkeypatch):
    flags = ['avx512_bf16']
    monkeypatch.setattr(environment, 'cpu', lambda: {'cpu': 'Some CPU', 'flags': flags, 'cores': 2})
    return flags


def test_a_precision_that_no_engine_has(cpu_flags):
    check_precisions(['fp32', 'bf16'], [ENGINES['eager'], ENGINES['onnxruntime']])
    with pytest.raises(UserError, match=r"none of the engines asked for has precision 'bf16' \(onnxruntime: fp32\)"):
        check_precisions(['fp32', 'bf16'], [ENGINES['onnxruntime']])
    with pytest.raises(UserError, match=r"none of .* has precision 'int8' .*eager: fp32, bf16; onnxruntime: fp32"):
        check_precisions(['int8'], [ENGINES['eager'], ENGINES['onnxruntime']])


def test_a_precision_that_the_cpu_lacks(cpu_flags):
    check_precisions(['bf16'], [ENGINES['eager']])
    cpu_flags[:] = ['amx_bf16', 'amx_tile']
    check_precisions(['bf16'], [ENGINES['eager']])
    cpu_flags[:] = ['avx512f']
    with pytest.raises(UserError, match="'bf16' cannot be measured on this CPU: Some CPU has neither AVX512-BF16 nor "
                                        'AMX; use fp32'):
        check_precisions(['fp32', 'bf16'], [ENGINES['eager']])


@pytest.mark.parametrize('name', ['eager', 'onnxruntime', 'openvino'])
def test_another_input_gives_its_own_result_and_is_left_alone(name):
    """The engines that compile quickly; the others are tested in files of their own."""
    engine = ENGINES[name]
    if engine.missing():
        pytest.skip(engine.missing())
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    others = [torch.randn(1, 3, 32, 48), torch.randn(1, 3, 32, 48).to(memory_format=torch.channels_last), example]
    prepared = quietly(lambda: engine.prepare(network, example, precision='fp32', threads=1), 1)
    for x in others:
        before = x.clone()
        for output, expected in quietly(lambda x=x: list(zip(prepared(x), network(x), strict=True)), 1):
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4)
        assert torch.equal(x, before)
