"""What bilinear resizing does along one axis, as weights of a few neighbours."""
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class AxisTaps:
    """Which of the pixels before make each of the pixels after.

    Attributes:
        start: First pixel before that counts, int64, shape (after,).
        weights: Weights of it and the next ones, float32, shape (after, taps).
        first: The first pixel after with this start, int64, shape (before - taps + 1,).
        count: How many pixels after have this start; they follow each other; same shape.
    """

    start: torch.Tensor
    weights: torch.Tensor
    first: torch.Tensor
    count: torch.Tensor

    @property
    def taps(self) -> int:
        """How many neighbours count at most."""
        return self.weights.shape[1]

    @property
    def nearest(self) -> torch.Tensor:
        """The pixel before that counts most, int64, shape (after,)."""
        return self.start + self.weights.argmax(dim=1)

    def to(self, device: torch.device) -> 'AxisTaps':
        """Moves to a device."""
        return AxisTaps(*(part.to(device) for part in (self.start, self.weights, self.first, self.count)))


@lru_cache(maxsize=64)
def axis_taps(size: int, padded: int, crop: tuple[int, int], original: int, align_corners: bool = False) -> AxisTaps:
    """Follows one axis of a map from the logits to the original image.

    Args:
        size: Pixels of the logits.
        padded: Pixels of the network's input, to which they are resized.
        crop: Pixels of padding before and after the image, cut off then.
        original: Pixels of the image as it was loaded, to which the rest is resized.
        align_corners: As of ``torch.nn.functional.interpolate``.
    """
    # Resizing unit vectors gives the very weights that torch uses, in either kind of alignment. Of each comb of units
    # so far apart that no pixel after sees two of them, all are resized at once.
    reach = -(-(size - 1) // max(padded - 1, 1)) + 2
    period = min(2 * reach + 1, size)
    combs = (torch.arange(size) % period == torch.arange(period)[:, None]).float()
    combs = _resized(combs, padded, crop, original, align_corners)
    centre = _resized(torch.arange(size).double()[None], padded, crop, original, align_corners)[0]
    window = (centre.floor().long() - reach).clamp(0, size - period)[:, None] + torch.arange(period)
    weights = combs.T.gather(1, window % period)
    used = weights.ne(0).to(torch.uint8)
    first_used, last_used = window[:, 0] + used.argmax(dim=1), window[:, -1] - used.flip(1).argmax(dim=1)
    taps = int((last_used - first_used).max()) + 1
    start = first_used.clamp(max=size - taps)
    neighbours = start[:, None] + torch.arange(taps)
    inside = (neighbours >= window[:, :1]) & (neighbours <= window[:, -1:])
    groups = torch.arange(size - taps + 1)
    first, end = torch.searchsorted(start, groups), torch.searchsorted(start, groups, right=True)
    return AxisTaps(start, combs.T.gather(1, neighbours % period) * inside, first, end - first)


def _resized(signals: torch.Tensor, padded: int, crop: tuple[int, int], original: int,
             align_corners: bool) -> torch.Tensor:
    """Signals of shape (N, before) as they are after."""
    signals = F.interpolate(signals[None], padded, mode='linear', align_corners=align_corners)
    signals = signals[..., crop[0]:padded - crop[1]]
    if signals.shape[2] != original:
        signals = F.interpolate(signals, original, mode='linear', align_corners=align_corners)
    return signals[0]
