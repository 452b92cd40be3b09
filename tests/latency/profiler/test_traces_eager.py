import os

import pytest
import torch
from torch import nn

from lcvision.latency.profiler.traces import describe_call, trace_eager
from tests.latency.small_net import small_net

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch without oneDNN')


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(16, 16, 3, padding=1, groups=16)
        self.block = nn.Sequential(nn.Conv2d(16, 8, 1), nn.Hardswish())
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.block(self.depthwise(x)) + 1
        return self.fc(x.mean((2, 3)).view(1, 8))


def run(network, x):
    with torch.inference_mode():
        network(x)
        return trace_eager(network, x)


def test_every_operator_has_its_module_and_its_kernels(capfd):
    kernels = run(Mixed().eval(), torch.randn(1, 16, 32, 32))
    computed = [(k.layer, k.operation, k.source) for k in kernels if not k.is_reorder]
    assert computed[0] == ('depthwise', 'convolution', 'onednn')
    assert [layer for layer, *_ in computed] == ['depthwise', 'block.0', 'block.1', None, None, 'fc']
    assert [operation for _, operation, _ in computed][2:] == ['hardswish', 'add', 'mean', 'linear']
    assert {k.layer for k in kernels if k.is_reorder} <= {'depthwise', 'block.0'}
    macs = {k.layer: k.macs for k in kernels if k.macs}
    assert macs == {'depthwise': 1024 * 16 * 9, 'block.0': 1024 * 16 * 8, 'fc': 40}
    assert [k.shape for k in kernels if k.macs] == ['dw 3x3 16 32x32', '1x1 16>8 32x32', '8>5']
    assert all(k.us >= 0 for k in kernels)
    assert kernels[-1].source != 'torch' or kernels[-1].name == 'outside oneDNN'
    assert capfd.readouterr().out == ''


def test_output_is_given_back_and_modules_are_left_as_they_were(capfd):
    network = small_net()
    run(network, torch.randn(1, 3, 16, 16))
    os.write(1, b'visible\n')
    network(torch.randn(1, 3, 16, 16))
    assert capfd.readouterr().out == 'visible\n'
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_output_is_given_back_after_an_error(capfd):
    with pytest.raises(RuntimeError):
        run(small_net(), torch.randn(1, 4, 16, 16))
    os.write(1, b'visible\n')
    assert capfd.readouterr().out == 'visible\n'


@pytest.mark.parametrize('operation, args, output, shape, macs', [
    ('addmm', ((4,), (2, 3), (3, 4)), (2, 4), '3>4 x2', 24),
    ('bmm', ((5, 2, 3), (5, 3, 4)), (5, 2, 4), '3>4 x10', 120),
    ('conv_transpose2d', ((1, 8, 4, 4), (8, 6, 2, 2)), (1, 6, 8, 8), 'transposed 8>6', 8 * 16 * 24),
    ('conv1d', ((1, 8, 5), (4, 8, 3)), (1, 4, 3), '3 8>4 3', 3 * 4 * 24),
    ('hardswish', ((2, 2),), (2, 2), '', None),
])
def test_sizes_of_calls(operation, args, output, shape, macs):
    tensors = [torch.empty(size) for size in args]
    assert describe_call(operation, tensors, torch.empty(output)) == (shape, macs)
