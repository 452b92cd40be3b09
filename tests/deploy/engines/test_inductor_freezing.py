import pytest
import torch
from torch import nn

from lcvision.deploy.engines.inductor import missing_compiler
from lcvision.deploy.engines.inductor_freezing import InductorFreezingEngine, frozen_network
from tests.latency.small_net import small_net


@pytest.mark.skipif(missing_compiler() is not None, reason='no C++ compiler')
def test_frozen_weights_compute_the_same_and_stay_out_of_the_settings():
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    with torch.inference_mode():
        prepared = InductorFreezingEngine().prepare(network, example, precision='fp32', threads=1)
        for output, expected in zip(prepared(prepared.example), network(example), strict=True):
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4)
        assert prepared.example.is_contiguous(memory_format=torch.channels_last)
    assert prepared.compile_s * 1e3 > prepared.first_ms > 0
    assert not torch._inductor.config.freezing


def test_the_network_frozen_is_a_copy():
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    frozen, x = frozen_network(network, example, 'bf16')
    assert {p.dtype for p in frozen.parameters()} == {torch.bfloat16}
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert x.dtype == torch.float32 and torch.equal(x, example)
    assert all(y.dtype == torch.float32 for y in frozen(x))


class ProductOfActivations(nn.Module):
    def forward(self, x):
        return (torch.mm(x[0, 0], x[0, 1].t()),)


@pytest.mark.skipif(missing_compiler() is not None, reason='no C++ compiler')
def test_a_network_without_generated_matrix_products_is_compiled_all_the_same():
    network, example = ProductOfActivations(), torch.randn(1, 3, 8, 8)
    with torch.inference_mode():
        prepared = InductorFreezingEngine().prepare(network, example, precision='fp32', threads=1)
        torch.testing.assert_close(prepared(prepared.example), network(example), rtol=1e-5, atol=1e-5)
