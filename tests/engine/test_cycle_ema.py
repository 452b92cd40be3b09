import numpy as np
import pytest
import torch
from torch import nn

from lcvision.engine.cycle_ema import CycleEMA


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))


def step(model):
    """A change of every parameter, and one BatchNorm update."""
    model.train()(torch.randn(4, 3, 6, 6) * 3 + 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))


class Reference:
    """The reference's rule in double precision: sums from zero, divided by 1 - d^t when applied."""

    def __init__(self, decay):
        self.decay, self.step, self.sums = decay, 0, {}

    def update(self, state):
        self.d = min(self.decay, (1 + self.step) / (10 + self.step))
        for name, value in state.items():
            self.sums[name] = self.d * self.sums.get(name, 0.0) + (1 - self.d) * value.numpy().astype(np.float64)
        self.step += 1

    def applied(self):
        return {name: value / (1 - self.d**self.step) for name, value in self.sums.items()}


def assert_equals(average, reference, model):
    for name, value in average.module.state_dict().items():
        if value.is_floating_point():
            np.testing.assert_allclose(value.numpy(), reference.applied()[name], rtol=2e-6, atol=2e-6, err_msg=name)
        else:
            assert torch.equal(value, model.state_dict()[name])


@pytest.mark.parametrize('decay', [0.9998, 0.5])
def test_equals_the_reference_over_a_reset(decay):
    model = network()
    average = CycleEMA(model, decay)
    for _ in range(2):
        reference = Reference(decay)
        for _ in range(25):
            step(model)
            average.update_parameters(model)
            reference.update(model.state_dict())
            assert_equals(average, reference, model)
        average.reset(model)
    assert average.module[1].num_batches_tracked == 50


def test_batchnorm_statistics_are_averaged_and_counters_copied():
    model = network()
    average = CycleEMA(model)
    for _ in range(5):
        step(model)
        average.update_parameters(model)
    assert not torch.equal(average.module[1].running_mean, model[1].running_mean)
    assert average.module[1].num_batches_tracked == model[1].num_batches_tracked == 5


def test_the_weights_reach_the_limit_of_a_constant_decay():
    keep, take = CycleEMA(nn.Linear(1, 1), 0.9998).mixing_weights(200_000)
    assert keep == pytest.approx(0.9998) and take == pytest.approx(0.0002)
    assert CycleEMA(nn.Linear(1, 1), 0.9998).mixing_weights(0) == (0.0, 1.0)


def test_a_fresh_average_and_a_reset_one_forget_even_nan():
    model = network()
    average = CycleEMA(model)
    with torch.no_grad():
        average.module[0].weight.fill_(float('nan'))
    average.update_parameters(model)
    assert torch.equal(average.module[0].weight, model[0].weight)


def test_the_model_is_left_alone():
    model = network()
    average = CycleEMA(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for _ in range(3):
        average.update_parameters(model)
    average.reset(model)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(parameter.requires_grad for parameter in average.module.parameters())


@pytest.mark.parametrize('decay', [0, 1, -0.1, 2])
def test_wrong_decay(decay):
    with pytest.raises(ValueError, match='between 0 and 1'):
        CycleEMA(nn.Linear(1, 1), decay)
