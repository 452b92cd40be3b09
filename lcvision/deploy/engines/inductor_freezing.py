"""torch.compile with constant weights: packed for oneDNN, activations fused into convolutions."""
import torch
from torch import nn

from lcvision.deploy.engines.engine import register_engine
from lcvision.deploy.engines.inductor import InductorEngine
from lcvision.deploy.pointwise_linear import linearize_vectors
from lcvision.deploy.precision import deployed_network

_FREEZING: dict = {'freezing': True}
# Matrix products of constant weights are generated with their epilogue instead of called. 'CPP' alone: beside a second
# choice each shape would be compiled and timed on its own, minutes for the same kernels. It has nothing for products of
# two activations: networks with such are compiled by the second set.
FROZEN: tuple[dict, ...] = ({**_FREEZING, 'max_autotune_gemm': True, 'max_autotune_gemm_backends': 'CPP'}, _FREEZING)


@register_engine
class InductorFreezingEngine(InductorEngine):
    """The fused network, channels_last, its weights frozen into the compiled code."""

    name = 'inductor-freezing'
    title = 'Inductor, frozen'
    compiles = 2
    marker = 'D'
    settings = FROZEN

    def deployed(self, network: nn.Module, example: torch.Tensor, precision: str) -> tuple[nn.Module, torch.Tensor]:
        """Channels_last, which frozen convolutions compute in: the input would be reordered at every inference."""
        return frozen_network(network, example, precision)


def frozen_network(network: nn.Module, example: torch.Tensor, precision: str) -> tuple[nn.Module, torch.Tensor]:
    """The network and the input in the form that inductor's freezing makes the most of.

    Args:
        network: In eval mode and float32; it stays as it is.
        example: (1, 3, H, W) input.
        precision: 'fp32' or 'bf16'.
    """
    deployed = linearize_vectors(deployed_network(network, example, precision), example)
    return deployed, example.contiguous(memory_format=torch.channels_last)
