"""TensorFlow's RMSprop, written out for single numbers; mixed precision follows the model's device."""
import math
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from lcvision.engine.optim import BF16OptimWrapper, RMSpropTF


def written_out(weight, grads, rates, alpha, eps, momentum, weight_decay):
    square, step = 1., 0.
    for grad, lr in zip(grads, rates, strict=True):
        grad += weight_decay * weight
        square = alpha * square + (1 - alpha) * grad ** 2
        step = momentum * step + lr * grad / math.sqrt(square + eps)
        weight -= step
    return weight


def train(weights, grads, rates, optimizer, **settings):
    """Weights after the gradients of several steps, each step at its learning rate."""
    parameter = nn.Parameter(torch.tensor(weights, dtype=torch.float64))
    running = optimizer([parameter], lr=1., **settings)
    for row, lr in zip(grads, rates, strict=True):
        running.param_groups[0]['lr'] = lr
        parameter.grad = torch.tensor(row, dtype=torch.float64)
        running.step()
    return parameter.detach()


GRADS, RATES = [[1., -5.], [0.3, 0.], [-2., 1e-3], [0.1, 7.]], [0.1, 0.2, 0.05, 0.01]


@pytest.mark.parametrize('settings', [
    dict(alpha=0.9, eps=1e-3, momentum=0.9, weight_decay=1e-2),
    dict(alpha=0.99, eps=1e-8, momentum=0., weight_decay=0.),
], ids=['elite', 'plain'])
def test_equals_the_formula(settings):
    actual = train([0.5, -3.], GRADS, RATES, RMSpropTF, **settings)
    expected = [written_out(weight, column, RATES, **settings)
                for weight, column in zip((0.5, -3.), zip(*GRADS, strict=True), strict=True)]
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=0)


def test_torchs_own_takes_other_steps():
    settings = dict(alpha=0.9, eps=1e-3, momentum=0.9)
    ours = train([0., 0.], GRADS[:1], [0.1], RMSpropTF, **settings)
    theirs = train([0., 0.], GRADS[:1], [0.1], torch.optim.RMSprop, **settings)
    # From a mean square of 1 instead of 0, a small first gradient moves the weight by a third.
    assert (theirs / ours)[0].item() == pytest.approx(math.sqrt(1.001 / 0.1), rel=0.01)


def test_a_change_of_the_rate_leaves_remembered_steps():
    grads = [[1.], [0.]]
    settings = dict(alpha=0., eps=1e-9, momentum=0.5)
    assert train([0.], grads, [0.1, 0.], RMSpropTF, **settings).item() == pytest.approx(-0.15)


def test_continues_from_its_state():
    def run(optimizer, parameter, rows):
        for row in rows:
            parameter.grad = torch.tensor(row)
            optimizer.step()

    whole = nn.Parameter(torch.zeros(2))
    run(RMSpropTF([whole]), whole, GRADS)
    half = nn.Parameter(torch.zeros(2))
    first = RMSpropTF([half])
    run(first, half, GRADS[:2])
    second = RMSpropTF([half])
    second.load_state_dict(first.state_dict())
    run(second, half, GRADS[2:])
    assert torch.equal(half, whole)


def test_builds_from_a_config_and_skips_what_has_no_gradient():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 2))
    wrapper = build_optim_wrapper(model, dict(
        type='OptimWrapper', optimizer=dict(type='lcvision.RMSpropTF', lr=0.1, weight_decay=0.5),
        paramwise_cfg=dict(norm_decay_mult=0.)))
    decays = {group['weight_decay'] for group in wrapper.optimizer.param_groups}
    assert isinstance(wrapper.optimizer, RMSpropTF) and decays == {0., 0.5}
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    wrapper.update_params(model[0](torch.ones(3, 2)).sum())
    changed = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {'0.weight', '0.bias'}


@torch.enable_grad()
def test_closure_gives_the_loss():
    parameter = nn.Parameter(torch.tensor([3.]))
    optimizer = RMSpropTF([parameter], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = parameter.square().sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(30)]
    assert losses[0] == 9. and min(losses) < 1


@pytest.mark.parametrize('wrong', [dict(lr=-1), dict(alpha=1), dict(eps=0), dict(momentum=1.5), dict(weight_decay=-1)],
                         ids=str)
def test_wrong_numbers_are_explained(wrong):
    (name, value), = wrong.items()
    with pytest.raises(ValueError, match=f'RMSpropTF: {name}={value} is out of range'):
        RMSpropTF([nn.Parameter(torch.zeros(1))], **wrong)


@pytest.mark.parametrize('device', ['cpu', 'cuda'])
def test_autocast_is_on_the_device_of_the_model(device, monkeypatch):
    used = []
    autocast = torch.autocast
    monkeypatch.setattr('torch.autocast', lambda name, dtype: used.append((name, dtype)) or autocast('cpu', dtype))
    model = nn.Linear(2, 2)
    wrapper = BF16OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    monkeypatch.setattr(model, 'parameters', lambda: iter([SimpleNamespace(device=torch.device(device))]))
    with wrapper.optim_context(model):
        assert model(torch.zeros(1, 2)).dtype == torch.bfloat16
    assert used == [(device, torch.bfloat16)]
