import torch
from torch import nn

from lcvision.deploy.engines import eager
from lcvision.deploy.engines.eager import EagerEngine
from lcvision.deploy.output_check import TOLERANCES, OutputCheck
from tests.latency.small_net import small_net


def prepare(monkeypatch, quicker):
    """Prepares with a clock under which one layout is quicker."""
    def sample(run, count):
        x = []
        handle = torch.nn.modules.module.register_module_forward_pre_hook(lambda m, inputs: x.append(inputs[0]))
        run()
        handle.remove()
        layout = 'channels_last' if x[0].is_contiguous(memory_format=torch.channels_last) else 'nchw'
        return [1. if layout == quicker else 2.] * count

    monkeypatch.setattr(eager, 'sample', sample)
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    with torch.inference_mode():
        return network, example, EagerEngine().prepare(network, example, precision='fp32', threads=1)


def test_the_quicker_layout_is_taken_and_recorded(monkeypatch):
    for layout, memory_format in (('nchw', torch.contiguous_format), ('channels_last', torch.channels_last)):
        network, example, prepared = prepare(monkeypatch, layout)
        assert prepared.layout == layout
        assert prepared.example.is_contiguous(memory_format=memory_format)
        with torch.inference_mode():
            outputs = prepared(prepared.example)
        for output, expected in zip(outputs, network(example), strict=True):
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4)


def test_it_is_fused_and_was_run_once_for_first_ms(monkeypatch):
    network, _, prepared = prepare(monkeypatch, 'nchw')
    assert not any(isinstance(m, nn.BatchNorm2d) for m in prepared.run.modules())
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert prepared.first_ms > 0 and prepared.compile_s is None
    assert EagerEngine().missing() is None


def test_nothing_was_computed_at_this_size_before_the_first_inference(monkeypatch):
    sizes, first, example = [], [], torch.randn(1, 3, 32, 48)
    handle = torch.nn.modules.module.register_module_forward_pre_hook(
        lambda m, inputs: sizes.append((tuple(inputs[0].shape[-2:]), inputs[0].is_contiguous())))
    first_ms = eager.first_ms

    def timed(run, x):
        first.append((tuple(x.shape[-2:]), x.is_contiguous()) not in sizes)
        return first_ms(run, x)

    monkeypatch.setattr(eager, 'first_ms', timed)
    try:
        with torch.inference_mode():
            EagerEngine().prepare(small_net(), example, precision='fp32', threads=1)
    finally:
        handle.remove()
    assert first == [True, True]


def test_a_network_of_one_size_is_fused_at_that():
    class OneSize(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = small_net()

        def forward(self, x):
            assert x.shape[-2:] == (32, 48)
            return self.net(x)

    with torch.inference_mode():
        prepared = EagerEngine().prepare(OneSize().eval(), torch.randn(1, 3, 32, 48), precision='fp32', threads=1)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in prepared.run.modules())


def test_bfloat16_between_float32_ends():
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    with torch.inference_mode():
        prepared = EagerEngine().prepare(network, example, precision='bf16', threads=1)
        outputs = prepared(prepared.example)
        error = OutputCheck(network, example).difference(prepared, prepared.example)[1]
    assert TOLERANCES['fp32'] < error < TOLERANCES['bf16']
    assert prepared.example.dtype == torch.float32 and all(y.dtype == torch.float32 for y in outputs)
