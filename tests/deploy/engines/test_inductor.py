import pytest
import torch
from torch import nn

from lcvision.deploy.engines.inductor import AOTInductorEngine, InductorEngine, InductorFreezingEngine
from tests.latency.small_net import small_net

ALL = (InductorEngine, InductorFreezingEngine, AOTInductorEngine)
needs_compiler = pytest.mark.skipif(InductorEngine().missing() is not None, reason='no C++ compiler')


@pytest.mark.parametrize('kind', ALL)
def test_without_a_compiler_it_is_missing(monkeypatch, kind):
    monkeypatch.setenv('CXX', 'no-such-compiler')
    assert "'no-such-compiler' is not on the PATH" in kind().missing()
    monkeypatch.delenv('CXX')
    monkeypatch.setenv('PATH', '')
    assert 'install g++' in kind().missing()


@needs_compiler
@pytest.mark.parametrize('kind', ALL)
def test_compiled_network_computes_the_same_and_leaves_no_file(kind, monkeypatch):
    written, export = [], AOTInductorEngine.export
    monkeypatch.setattr(AOTInductorEngine, 'export', lambda *args: written.append(args[3]) or export(*args))
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    with torch.inference_mode():
        prepared = kind().prepare(network, example, precision='fp32', threads=1)
        for output, expected in zip(prepared(prepared.example), network(example), strict=True):
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4)
    assert prepared.compile_s * 1e3 > prepared.first_ms > 0
    assert prepared.example.is_contiguous() is (kind is InductorEngine)
    assert not torch._inductor.config.freezing, 'settings are those of one compilation'
    assert len(written) == (kind is AOTInductorEngine) and not any(path.exists() for path in written)


def test_the_network_frozen_is_a_copy():
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    frozen, x = InductorFreezingEngine().deployed(network, example, 'bf16')
    assert {p.dtype for p in frozen.parameters()} == {torch.bfloat16}
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert x.dtype == torch.float32 and torch.equal(x, example)
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert all(y.dtype == torch.float32 for y in frozen(x))


class ProductOfActivations(nn.Module):
    def forward(self, x):
        return (torch.mm(x[0, 0], x[0, 1].t()),)


@needs_compiler
def test_a_network_without_generated_matrix_products_is_compiled_all_the_same():
    network, example = ProductOfActivations(), torch.randn(1, 3, 8, 8)
    with torch.inference_mode():
        prepared = InductorFreezingEngine().prepare(network, example, precision='fp32', threads=1)
        torch.testing.assert_close(prepared(prepared.example), network(example), rtol=1e-5, atol=1e-5)
