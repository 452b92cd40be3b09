"""Mixed precision follows the model's device."""
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lcvision.engine.optim.bf16_optim_wrapper import BF16OptimWrapper


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
