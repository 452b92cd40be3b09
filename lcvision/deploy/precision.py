"""The numbers that a network computes with inside; its input and outputs are float32."""
import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.fuse import fuse_network
from lcvision.errors import UserError

# Without one of these every bfloat16 operator is emulated in float32, which takes a multiple of the time.
_BF16_FLAGS = ('avx512_bf16', 'amx_bf16', 'bf16')


class Bfloat16Network(nn.Module):
    """A network that computes in bfloat16 between float32 ends; its parameters and buffers become bfloat16."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network.bfloat16()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Raw outputs in float32: the conversions are part of the inference, as in every other engine."""
        return tuple(y.float() for y in self.network(x.bfloat16()))


def deployed_network(network: nn.Module, example: torch.Tensor, precision: str) -> nn.Module:
    """A fused copy of a float32 network in eval mode that computes in ``precision``, 'fp32' or 'bf16'."""
    fused = fuse_network(network, example)
    return Bfloat16Network(fused) if precision == 'bf16' else fused


def lacking(precision: str) -> str | None:
    """Why this CPU lacks a precision; None where it has it."""
    machine = environment.cpu()
    if precision != 'bf16' or any(flag in machine['flags'] for flag in _BF16_FLAGS):
        return None
    return f"{machine['cpu']} has neither AVX512-BF16 nor AMX"


def check_cpu(precision: str) -> None:
    """Refuses, with a UserError, a precision that would be emulated here."""
    if reason := lacking(precision):
        raise UserError(f'precision {precision!r} cannot be measured on this CPU: {reason}; use fp32')
