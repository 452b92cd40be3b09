import sys
from functools import cache

import pytest
import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.engines import ENGINES, EngineError, availability, check_precisions, select_engines
from lcvision.deploy.engines.best import BestEngine
from lcvision.errors import UserError
from lcvision.timing.rounds import quietly
from tests.latency.small_net import small_net

EXAMPLE = torch.randn(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
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
    monkeypatch.setattr('lcvision.frameworks.find_spec', lambda wanted: None if wanted == package else 'found')
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


# What the engines promise whose preparation takes no compiler; the others are tested in files of their own.


def there(name):
    engine = ENGINES[name]
    return engine if engine.missing() is None else pytest.skip(engine.missing())


@pytest.fixture(scope='module')
def prepared():
    """The small network on an engine, prepared once."""
    return cache(lambda name: quietly(
        lambda: there(name).prepare(small_net(), EXAMPLE, precision='fp32', threads=1), 1))


@pytest.mark.parametrize('name', ['onnxruntime', 'openvino'])
def test_it_computes_the_same_without_a_word(name, capfd):
    network = small_net()
    with torch.inference_mode():
        prepared = there(name).prepare(network, EXAMPLE, precision='fp32', threads=1)
        for output, expected in zip(prepared(prepared.example), network(EXAMPLE), strict=True):
            assert output.dtype == torch.float32
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4)
    assert prepared.compile_s > 0 and prepared.first_ms > 0
    assert capfd.readouterr() == ('', '')


@pytest.mark.parametrize('name', ['onnxruntime', 'openvino'])
def test_outputs_are_not_copied_and_an_input_of_another_size_is_refused(name, prepared):
    prepared = prepared(name)
    first = [y.data_ptr() for y in prepared(prepared.example)]
    assert [y.data_ptr() for y in prepared(torch.randn(1, 3, 32, 48))] == first
    with pytest.raises(Exception, match=r'shape|dimension'):
        prepared(torch.randn(1, 3, 48, 32))


class DependsOnData(nn.Module):
    def forward(self, x):
        return (x[x > 0],) if float(x.sum()) > 0 else (x,)


@pytest.mark.parametrize('name, message', [
    ('inductor', 'torch.compile cannot compile'), ('aot-inductor', 'AOTInductor cannot compile'),
    ('onnxruntime', 'ONNX Runtime cannot run'), ('openvino', 'OpenVINO cannot run')])
def test_a_network_that_an_engine_cannot_take_whole_is_refused(name, message):
    with torch.inference_mode(), pytest.raises(EngineError, match=f'{message} this network: '):
        there(name).prepare(DependsOnData(), torch.ones(1, 3, 4, 4), precision='fp32', threads=1)


@pytest.mark.parametrize('name', ['eager', 'onnxruntime', 'openvino'])
def test_another_input_gives_its_own_result_and_is_left_alone(name, prepared):
    network, prepared = small_net(), prepared(name)
    for x in (torch.randn(1, 3, 32, 48), torch.randn(1, 3, 32, 48).to(memory_format=torch.channels_last), EXAMPLE):
        before = x.clone()
        for output, expected in quietly(lambda x=x: list(zip(prepared(x), network(x), strict=True)), 1):
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4)
        assert torch.equal(x, before)
