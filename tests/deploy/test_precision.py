import pytest
import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.precision import check_cpu, deployed_network, lacking
from lcvision.errors import UserError
from tests.latency.small_net import small_net


def test_bfloat16_is_inside_and_float32_outside():
    network, x = small_net(), torch.randn(1, 3, 16, 24)
    reduced, exact = (deployed_network(network, x, precision) for precision in ('bf16', 'fp32'))
    seen = []
    reduced.network.depthwise.register_forward_hook(lambda m, inputs, output: seen.append(output.dtype))
    for y, expected in zip(reduced(x), network(x), strict=True):
        assert y.dtype == torch.float32
        assert 0 < (y - expected).abs().max() < 0.1 * expected.abs().max()
    assert seen == [torch.bfloat16]
    assert not any(isinstance(m, nn.BatchNorm2d) for m in exact.modules())
    assert {p.dtype for p in network.parameters()} == {torch.float32}


@pytest.mark.parametrize('flags', [['avx512_bf16'], ['amx_bf16'], ['bf16']])
def test_a_cpu_with_bfloat16(monkeypatch, flags):
    monkeypatch.setattr(environment, 'cpu', lambda: {'cpu': 'Some CPU', 'flags': flags})
    check_cpu('bf16')
    assert lacking('bf16') is None


def test_a_cpu_without(monkeypatch):
    monkeypatch.setattr(environment, 'cpu', lambda: {'cpu': 'Some CPU', 'flags': ['avx2', 'avx512f']})
    check_cpu('fp32')
    with pytest.raises(UserError, match='Some CPU has neither AVX512-BF16 nor AMX; use fp32'):
        check_cpu('bf16')
