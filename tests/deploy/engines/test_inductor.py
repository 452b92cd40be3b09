import pytest
import torch
from torch import nn

from lcvision.deploy.engines import EngineError
from lcvision.deploy.engines.inductor import InductorEngine
from tests.latency.small_net import small_net

needs_compiler = pytest.mark.skipif(InductorEngine().missing() is not None, reason='no C++ compiler')


def test_without_a_compiler_it_is_missing(monkeypatch):
    monkeypatch.setenv('CXX', 'no-such-compiler')
    assert "'no-such-compiler' is not on the PATH" in InductorEngine().missing()
    monkeypatch.delenv('CXX')
    monkeypatch.setenv('PATH', '')
    assert 'install g++' in InductorEngine().missing()


@needs_compiler
def test_compiled_network_computes_the_same():
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    with torch.inference_mode():
        prepared = InductorEngine().prepare(network, example, precision='fp32', threads=1)
        for output, expected in zip(prepared(prepared.example), network(example), strict=True):
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4)
    assert prepared.compile_s * 1e3 > prepared.first_ms > 0


class DependsOnData(nn.Module):
    def forward(self, x):
        return (x * 2 if float(x.sum()) > 0 else x,)


@needs_compiler
def test_a_network_that_does_not_compile_whole_is_refused():
    with torch.inference_mode(), pytest.raises(EngineError, match='cannot compile'):
        InductorEngine().prepare(DependsOnData(), torch.ones(1, 3, 4, 4), precision='fp32', threads=1)
