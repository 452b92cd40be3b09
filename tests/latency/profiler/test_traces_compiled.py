from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lcvision.latency.profiler import traces
from lcvision.latency.profiler.kernel import LayerNames, record_layers
from lcvision.latency.profiler.onednn_log import convolution_key, pointwise_key
from lcvision.latency.profiler.traces import trace_onednn, trace_others

needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch without oneDNN')


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(16, 16, 3, padding=1, groups=16)
        self.second = nn.Conv2d(16, 16, 3, padding=1, groups=16)
        self.squeeze = nn.Conv2d(16, 4, 1)
        self.fc = nn.Linear(4, 7)

    def forward(self, x):
        x = self.second(self.first(self.first(x)))
        return self.fc(self.squeeze(x.mean((2, 3), keepdim=True)).flatten(1))


def layers():
    return record_layers(Twice().eval(), torch.randn(1, 16, 8, 8))


def test_layers_by_their_sizes_in_the_order_of_calls():
    recorded = layers()
    assert [layer.name for layer in recorded] == ['first', 'first', 'second', 'squeeze', 'fc']
    assert [layer.macs for layer in recorded] == [64 * 16 * 9] * 3 + [64, 28]
    names, key = LayerNames(recorded), convolution_key((16, 1, 3, 3), 16, (8, 8))
    assert [names.take(key).name for _ in range(3)] == ['first', 'first', 'second'] and names.take(key) is None
    assert names.take(None) is None and names.take(pointwise_key(7, 5, 1)) is None
    # A convolution of one pixel is the matrix product that compilers make of it.
    assert names.take(pointwise_key(4, 16, 1)).name == 'squeeze' and names.take(pointwise_key(7, 4, 1)).name == 'fc'


@needs_onednn
def test_primitives_find_their_layers():
    network, x = Twice().eval(), torch.randn(1, 16, 8, 8)
    with torch.inference_mode():
        kernels, known = trace_onednn(network, x, layers())
    assert [k.layer for k in kernels if k.operation == 'convolution'][:3] == ['first', 'first', 'second']
    assert convolution_key((16, 1, 3, 3), 16, (8, 8)) in known


@needs_onednn
def test_operators_outside_onednn_find_theirs(capfd):
    network, x = Twice().eval(), torch.randn(1, 16, 8, 8)
    with torch.inference_mode():
        known = trace_onednn(network, x, layers())[1]
        # Matrix products are known under addmm in compiled code, which linear calls.
        kernels = trace_others(lambda x: torch.addmm(network.fc.bias, x.mean((2, 3))[:, :4], network.fc.weight.t()), x,
                               layers(), known)
    assert [(k.operation, k.layer, k.name, k.macs) for k in kernels] == [
        ('mean', None, 'mean', None), ('addmm', 'fc', 'outside oneDNN', 28)]
    assert capfd.readouterr().err == ''


def event(name, *children, shapes=(), us=1., start=0):
    return SimpleNamespace(name=name, cpu_children=list(children), input_shapes=list(shapes),
                           time_range=SimpleNamespace(start=start, elapsed_us=lambda: us))


def test_what_the_profiler_tells():
    call = event(
        '## Call CompiledFxGraph x ##',
        event('graph_0_gemm_m1n7k4_kernel', us=5., start=7),
        event('mkldnn::_convolution_pointwise', event('aten::empty')),
        event('graph_0_cpp_fused_relu_1', us=3., start=5),
        event('aoti_torch_cpu_mkldnn__convolution_pointwise', start=6),
        event('aten::as_strided', start=6),
        event('aten::convolution', event('aten::mkldnn_convolution'), start=7),
        event('aten::convolution', shapes=[[1, 16, 8, 8], [16, 1, 3, 3]], us=9., start=8),
        event('aten::mm', shapes=[[1, 16], [16, 4]], us=2., start=9),
        event('aoti_torch_cpu_topk', us=4., start=10))
    known = {pointwise_key(4, 16, 1)}
    kernels = traces._children(event('Torch-Compiled Region: 0/0', call), LayerNames(layers()), known)
    assert [(k.source, k.name, k.layer, k.us, k.macs) for k in kernels] == [
        ('inductor', 'generated', None, 3., None), ('inductor', 'generated gemm', 'fc', 5., 28),
        ('torch', 'outside oneDNN', 'first', 9., 64 * 16 * 9), ('torch', 'topk', None, 4., None)]
