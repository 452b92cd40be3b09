"""Mixed precision on a CPU, or on what the model is on."""
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from lcvision.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BF16OptimWrapper(OptimWrapper):
    """Runs forward passes under bfloat16 autocast; bfloat16 needs no loss scaling.

    All arguments are mmengine's ``OptimWrapper``'s.

    Differs: mmengine's ``AmpOptimWrapper`` refuses to run without an accelerator.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Context of a forward pass."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield
