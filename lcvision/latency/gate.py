"""Whether an engine computes what the network is."""
import math
from collections.abc import Sequence

import torch
from torch import nn

from lcvision.latency.precision import deployed_network

# Difference from eager float32 that is always taken for rounding, as a share of the tensor's largest magnitude.
# In float32 rounding gives about 1e-5 on deep networks; a wrong operator gives 1e-2 and more.
TOLERANCES = {'fp32': 1e-3, 'bf16': 2e-2}
# Times the error of eager in a lower precision that another engine, which rounds elsewhere, may have in it.
_MARGIN = 2.


def compare_outputs(outputs: Sequence[torch.Tensor], reference: Sequence[torch.Tensor]) -> tuple[float, float]:
    """Largest difference of any output from its reference.

    Args:
        outputs: What an engine gave.
        reference: What eager float32 gave, not fused.

    Returns:
        The absolute difference, and the difference as a share of the largest magnitude of the tensor that it was found
        in, each the largest over all tensors; infinite where number, shape or finiteness differ.
    """
    if [tuple(x.shape) for x in outputs] != [tuple(x.shape) for x in reference]:
        return float('inf'), float('inf')
    absolute = relative = 0.
    for x, expected in zip(outputs, reference, strict=True):
        if not x.numel():
            continue
        if not (torch.isfinite(x).all() and torch.isfinite(expected).all()):
            return float('inf'), float('inf')
        difference = float((x.float() - expected).abs().max())
        absolute = max(absolute, difference)
        relative = max(relative, difference / max(float(expected.abs().max()), torch.finfo(torch.float32).tiny))
    return absolute, relative


def allowed_difference(network: nn.Module, example: torch.Tensor, precision: str) -> float:
    """Largest share by which outputs may differ from eager float32.

    What rounding to bfloat16 does depends on the network: 2 % at the end of a classifier, 40 % at that of a deep
    detector with random weights. So eager in that precision is the yardstick.

    Args:
        network: In eval mode and float32, not fused.
        example: An input of it.
        precision: 'fp32' or 'bf16'.
    """
    floor = TOLERANCES[precision]
    if precision == 'fp32':
        return floor
    rounding = compare_outputs(deployed_network(network, example, precision)(example), network(example))[1]
    return max(floor, _MARGIN * rounding) if math.isfinite(rounding) else floor


def objection(difference: float, allowed: float) -> str | None:
    """Why outputs are wrong, as a clause; None where they differ by no more than rounding does.

    Args:
        difference: The share from :func:`compare_outputs`.
        allowed: From :func:`allowed_difference`.
    """
    if difference <= allowed:
        return None
    return (f'its output differs from eager float32 by {difference:.2g} of the largest magnitude, {allowed:.2g} is '
            'allowed; its time does not count')
