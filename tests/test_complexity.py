"""Counts against arithmetic done by hand; those of whole networks are in the networks' own tests."""
import pytest
import torch
from torch import nn

from lcvision.complexity import Complexity, count_complexity, count_layers, count_params

IMAGE = torch.zeros(1, 3, 8, 6)


def test_convolutions_and_linear_layers():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(4, 8, 5, padding=2, groups=4, bias=False),
                          nn.Conv2d(8, 8, (1, 3), groups=8, bias=False), nn.Flatten(), nn.Linear(8 * 4 * 1, 10))
    counts = count_complexity(model, IMAGE)
    assert counts.macs == 4 * 12 * 27 + 8 * 12 * 25 + 8 * 4 * 3 + 320
    assert counts.params == (4 * 27 + 4) + 8 * 25 + 8 * 3 + (320 + 10) == count_params(model)
    # Paddle's counter counts the biases of convolutions and leaves those of linear layers out.
    assert counts.buffers == 0 and counts.paddle_flops == counts.macs + counts.elementwise == counts.macs + 4 * 12


def test_dilation_changes_no_count():
    counts = [count_complexity(nn.Conv2d(3, 4, 3, padding=d, dilation=d), IMAGE).macs for d in (1, 2, 3)]
    assert len(set(counts)) == 1


class Mean(nn.Module):
    def __init__(self, *dims):
        super().__init__()
        self.dims = dims

    def forward(self, x):
        return x.mean(self.dims, keepdim=True)


@pytest.mark.parametrize('layer, elements', [
    (nn.BatchNorm2d(3), 288), (nn.AdaptiveAvgPool2d(1), 147), (Mean(2, 3), 147), (Mean(-1, -2), 147), (Mean(1), 0),
    (Mean(3), 0), (nn.ReLU(), 0), (nn.Hardswish(), 0), (nn.Hardsigmoid(), 0), (nn.AvgPool2d(2), 0), (nn.Dropout(), 0)],
    ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else None)
def test_elementwise_layers(layer, elements):
    counts = count_complexity(layer, IMAGE)
    assert counts.elementwise == counts.paddle_flops == elements and counts.macs == 0


def test_pooling_belongs_to_the_module_that_calls_it():
    layers = count_layers(nn.Sequential(nn.Sequential(Mean(2, 3)), nn.Conv2d(3, 2, 1, bias=False)), IMAGE)
    assert {name: counts.elementwise for name, counts in layers.items()} == {'0.0': 147, '1': 0}


def test_buffers_are_running_statistics():
    model = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3, track_running_stats=False), nn.SyncBatchNorm(3))
    counts = count_complexity(model, IMAGE)
    assert counts.buffers == 2 * 3 + 2 * 3 and counts.params == 3 * 2 * 3


def test_batch_and_repeated_layers_count_each_time():
    layer = nn.Conv2d(3, 3, 3, padding=1)
    once, twice = count_complexity(layer, IMAGE), count_complexity(nn.Sequential(layer, layer), IMAGE)
    assert twice.macs == 2 * once.macs and twice.params == once.params
    assert count_complexity(layer, IMAGE.expand(4, -1, -1, -1)).macs == 4 * once.macs


def test_several_inputs():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)

        def forward(self, a, b):
            return self.conv(a + b)

    assert count_complexity(Sum(), IMAGE, IMAGE).macs == 2 * 48 * 3


def test_model_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout())
    model.train()
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    count_complexity(model, torch.randn(2, 3, 4, 4))
    assert model.training and model[2].training and not model[1].training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(m._forward_hooks for m in model.modules())
    assert all(p.grad is None for p in model.parameters())
    with pytest.raises(RuntimeError):
        count_complexity(model, torch.zeros(1, 5, 4, 4))
    assert model.training and not model[1].training and not any(m._forward_hooks for m in model.modules())


def test_layers_are_counted_one_by_one():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2))
            self.first = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
            self.second = nn.Conv2d(4, 4, 1, bias=False)
            self.second.weight = nn.Parameter(torch.ones(4, 4, 1, 1))
            self.twin = self.second

        def forward(self, x):
            return self.twin(self.second(self.first(x))) * self.scale.sum()

    layers = count_layers(Scaled(), IMAGE)
    assert layers == {
        '': Complexity(2, 0, 0, 0), 'first.0': Complexity(16, 0, 4 * 48 * 3, 192),
        'first.1': Complexity(8, 8, 0, 2 * 192), 'second': Complexity(16, 0, 2 * 4 * 48 * 4, 0)}
    assert count_complexity(Scaled(), IMAGE) == sum(layers.values(), Complexity(0, 0, 0, 0))
