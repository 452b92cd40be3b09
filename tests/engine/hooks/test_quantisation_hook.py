"""Training for int8: what is simulated, what is learned, and what is left of it afterwards."""
from types import SimpleNamespace

import pytest
import torch

from lcvision.engine.hooks.quantisation_hook import QuantisationHook
from tests.inference.small_models import CLASSIFIER, DETECTORS, shaken_model, small_config


@pytest.mark.parametrize('name, layers, found', [
    (CLASSIFIER, ['backbone.stem.conv', 'head.fc', 'backbone.stages.1.0', 'neck.gone', 'nothing'], 3),
    (DETECTORS[0], ['backbone.stem.conv', 'head.predictors.0', 'neck'], 3)])
def test_layers_are_simulated_and_learn_what_rounding_takes(name, layers, found):
    model = shaken_model(small_config(name))
    x = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    keys = [*model.state_dict()]
    runner, hook = SimpleNamespace(model=model), QuantisationHook(layers)
    hook.before_train(runner)
    assert len(hook._changed) == found
    for layer in hook._changed:
        layer.weight.data *= 1 + .2 * torch.rand(layer.weight.shape, generator=torch.Generator().manual_seed(1))
    optimiser, losses = torch.optim.SGD(model.parameters(), 1e-3), []
    for step in range(6):
        model.train()
        hook.before_train_iter(runner, step)
        assert not model.training
        loss = model.loss(x)['loss']
        optimiser.zero_grad()
        loss.backward()
        assert all(layer.weight.grad.abs().sum() > 0 for layer in hook._changed)
        optimiser.step()
        losses.append(float(loss))
    assert losses[-1] < losses[0]
    hook.after_train(runner)
    assert [*model.state_dict()] == keys and 'loss' not in vars(model)
    assert not any('forward' in vars(layer) for layer in model.modules())


def test_values_are_those_of_eight_bits():
    model = shaken_model(small_config(CLASSIFIER))
    layer, hook = model.backbone.stem.conv, QuantisationHook(['backbone.stem.conv'])
    x = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) + 1
    exact = layer(x)
    hook.before_train(SimpleNamespace(model=model))
    scale = (x.max() - x.min()) / 255
    zero = (-x.min() / scale).round()
    weight_scale = layer.weight.abs().amax((1, 2, 3), keepdim=True) / 127
    rounded = torch.nn.functional.conv2d((((x / scale).round() + zero).clamp(0, 255) - zero) * scale,
                                         (layer.weight / weight_scale).round() * weight_scale, None, 2, 1)
    found = layer(x)
    torch.testing.assert_close(found, rounded, rtol=0, atol=1e-4)
    assert 1e-3 < (found - exact).abs().max() < .05 * exact.abs().max()
