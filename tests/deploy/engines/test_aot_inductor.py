import pytest
import torch
from torch import nn

from lcvision.deploy.engines import EngineError, aot_inductor
from lcvision.deploy.engines.aot_inductor import AOTInductorEngine, export_package
from lcvision.deploy.engines.inductor import missing_compiler
from tests.latency.small_net import small_net

needs_compiler = pytest.mark.skipif(missing_compiler() is not None, reason='no C++ compiler')


def test_without_a_compiler_it_is_missing(monkeypatch):
    monkeypatch.setenv('CXX', 'no-such-compiler')
    assert "'no-such-compiler' is not on the PATH" in AOTInductorEngine().missing()


@needs_compiler
def test_the_package_computes_the_same_and_leaves_no_file(monkeypatch):
    written = []
    monkeypatch.setattr(aot_inductor, 'export_package',
                        lambda *args: written.append(args[2]) or export_package(*args))
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    with torch.inference_mode():
        prepared = AOTInductorEngine().prepare(network, example, precision='fp32', threads=1)
        for output, expected in zip(prepared(prepared.example), network(example), strict=True):
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4)
    assert prepared.compile_s * 1e3 > prepared.first_ms > 0
    assert len(written) == 1 and not written[0].exists()


class DependsOnData(nn.Module):
    def forward(self, x):
        return (x * 2 if float(x.sum()) > 0 else x,)


@needs_compiler
def test_a_network_that_does_not_compile_whole_is_refused():
    with torch.inference_mode(), pytest.raises(EngineError, match='AOTInductor cannot compile'):
        AOTInductorEngine().prepare(DependsOnData(), torch.ones(1, 3, 4, 4), precision='fp32', threads=1)
