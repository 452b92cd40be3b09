"""Whether an engine computes what the network is."""
import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

# The largest error that counts as rounding, as a share of what the outputs owe to the input. Float32 rounds to 1e-4 or
# less even in deep networks, bfloat16 to 0.25 in the worst of those shipped. An engine that ignores its input, or gives
# zeros, cannot get below 0.7: one of its two errors is at least half of the distance.
TOLERANCES = {'fp32': 1e-3, 'bf16': 0.4}
# The least share of its magnitude that an output is taken to owe to the input: after a few steps of training it is all
# biases, to which every precision rounds.
_LEAST_RESPONSE = 0.03
# Added to the channels of the second input, which then differs in every part and in its mean.
_TINT = (1., 0., -1.)


class OutputCheck:
    """What a network gives for two inputs, by which engines that should compute the same are judged.

    It is in eval mode and float32, not fused; one input is ``example``, the other noise of the same size.
    """

    def __init__(self, network: nn.Module, example: torch.Tensor):
        noise = torch.randn(example.shape, generator=torch.Generator().manual_seed(1))
        self._inputs = (example, noise + torch.tensor(_TINT).view(1, 3, 1, 1))
        self._expected = self._run(network, example)

    def difference(self, run: Callable[[torch.Tensor], Sequence[torch.Tensor]],
                   example: torch.Tensor) -> tuple[float, float]:
        """How far the outputs of an engine, whose memory layout ``example`` has, are from the network's.

        Returns:
            The largest absolute difference, and the largest :func:`response_error` of a tensor; infinite where number,
            shape or finiteness differ.
        """
        outputs = self._run(run, example)
        shapes, wanted = ([[y.shape for y in row] for row in rows] for rows in (outputs, self._expected))
        if shapes != wanted or not all(torch.isfinite(y).all() for row in (*outputs, *self._expected) for y in row):
            return math.inf, math.inf
        kinds = [(torch.stack(given), torch.stack(expected)) for given, expected in
                 zip(zip(*outputs, strict=True), zip(*self._expected, strict=True), strict=True) if given[0].numel()]
        return (max((float((given - expected).abs().max()) for given, expected in kinds), default=math.inf),
                max((response_error(given, expected) for given, expected in kinds), default=math.inf))

    def _run(self, run: Callable[[torch.Tensor], Sequence[torch.Tensor]],
             example: torch.Tensor) -> list[list[torch.Tensor]]:
        rows = []
        for x in self._inputs:
            # Of exactly the kind that was compiled for: another would be compiled for as well.
            with torch.inference_mode(example.is_inference()):
                given = example.clone().copy_(x)
            # Copies: the next inference may write to the same memory.
            rows.append([y.double() for y in run(given)])
        return rows


def response_error(outputs: torch.Tensor, expected: torch.Tensor) -> float:
    """Error of one output for two inputs, as a share of how far apart the two right outputs are.

    ``outputs`` (2, ...) are an engine's and ``expected`` the network's; both measures are Euclidean norms. Neither a
    bias, which no input changes, nor one large number hides an error. Infinite where the right outputs are zeros,
    which can show no error.
    """
    distance = max(float((expected[0] - expected[1]).norm()), _LEAST_RESPONSE * float(expected.norm()))
    error = float((outputs - expected).norm())
    return error / distance if distance else math.inf


def objection(error: float, precision: str) -> str | None:
    """Why outputs with this :func:`response_error` are wrong, as a clause; None where rounding explains it."""
    if error <= TOLERANCES[precision]:
        return None
    if math.isinf(error):
        return ("its outputs, or eager float32's own, are not finite, all zero, or differ in number or shape; its time "
                'does not count')
    return (f'its output differs from eager float32 by {error:.2g} of what it owes to the input, '
            f'{TOLERANCES[precision]:g} is allowed in {precision}; its time does not count')
