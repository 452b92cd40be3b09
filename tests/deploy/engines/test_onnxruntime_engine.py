import pytest
import torch
from torch import nn

from lcvision.deploy.engines import EngineError
from lcvision.deploy.engines.onnxruntime import OnnxRuntimeEngine
from tests.latency.small_net import small_net

pytestmark = pytest.mark.skipif(OnnxRuntimeEngine().missing() is not None, reason=str(OnnxRuntimeEngine().missing()))


def prepare(network, example, threads=1):
    with torch.inference_mode():
        return OnnxRuntimeEngine().prepare(network, example, precision='fp32', threads=threads)


def test_it_computes_the_same_without_a_word(capfd):
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    prepared = prepare(network, example)
    with torch.inference_mode():
        for output, expected in zip(prepared(prepared.example), network(example), strict=True):
            assert output.dtype == torch.float32
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4)
    assert prepared.compile_s > 0 and prepared.first_ms > 0
    assert capfd.readouterr() == ('', '')


def test_outputs_are_not_copied():
    prepared = prepare(small_net(), torch.randn(1, 3, 32, 48))
    first = [y.data_ptr() for y in prepared(prepared.example)]
    assert [y.data_ptr() for y in prepared(torch.randn(1, 3, 32, 48))] == first


def test_threads():
    for threads in (1, 2):
        options = prepare(small_net(), torch.randn(1, 3, 32, 48), threads).run.session.get_session_options()
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)


def test_an_input_of_another_size_is_refused():
    prepared = prepare(small_net(), torch.randn(1, 3, 32, 48))
    with pytest.raises(Exception, match='dimension'):
        prepared(torch.randn(1, 3, 48, 32))


class DependsOnData(nn.Module):
    def forward(self, x):
        return (x[x > 0],) if float(x.sum()) > 0 else (x,)


def test_a_network_that_does_not_export():
    with pytest.raises(EngineError, match='ONNX Runtime cannot run this network: '):
        prepare(DependsOnData(), torch.ones(1, 3, 4, 4))
