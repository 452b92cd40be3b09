"""Whether an engine computes what the network is."""
from collections.abc import Sequence

import torch

# Largest difference from eager float32 that is rounding and no error, as a share of the tensor's largest magnitude.
# Rounding gives about 1e-5 on deep networks; a wrong operator gives 1e-2 and more.
TOLERANCES = {'fp32': 1e-3}


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


def objection(difference: tuple[float, float], precision: str) -> str | None:
    """Why outputs are wrong; None where they differ by no more than rounding does.

    Args:
        difference: From :func:`compare_outputs`.
        precision: Precision that the engine computed in.
    """
    tolerance = TOLERANCES[precision]
    if difference[1] <= tolerance:
        return None
    return (f'its output differs from eager float32 by {difference[1]:.2g} of the largest magnitude, {tolerance:g} is '
            f'allowed in {precision}; its time does not count')
