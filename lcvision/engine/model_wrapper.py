"""The model of a distributed run."""
from typing import Any

from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> Any:
    """Returns the model itself, where a runner has one that is wrapped for several processes."""
    return model.module if is_model_wrapper(model) else model
