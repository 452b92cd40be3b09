import pytest
import torch

from lcvision.deploy.engines.onnxruntime import OnnxRuntimeEngine
from tests.latency.small_net import small_net


@pytest.mark.skipif(OnnxRuntimeEngine().missing() is not None, reason=str(OnnxRuntimeEngine().missing()))
@pytest.mark.parametrize('threads', [1, 2])
def test_threads(threads):
    with torch.inference_mode():
        prepared = OnnxRuntimeEngine().prepare(small_net(), torch.randn(1, 3, 8, 8), precision='fp32', threads=threads)
    options = prepared.run.session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)
