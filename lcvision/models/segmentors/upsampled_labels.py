"""The labels of bilinearly upsampled logits, without the upsampled logits."""
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch.nn import functional as F

# Pixels whose logits are held at a time: few enough for a core's cache.
_CHUNK = 8192


@dataclass(frozen=True)
class AxisTaps:
    """What bilinear resizing does along one axis: which of the pixels before make each of the pixels after.

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

    def to(self, device: torch.device) -> 'AxisTaps':
        """Moves to a device."""
        return AxisTaps(*(tensor.to(device) for tensor in vars(self).values()))


@lru_cache(maxsize=64)
def axis_taps(size: int, padded: int, crop: tuple[int, int], original: int, align_corners: bool = False) -> AxisTaps:
    """Follows one axis of a map from the logits to the original image.

    The ``size`` pixels of the logits are resized to the ``padded`` ones of the network's input, of which ``crop`` are
    cut off before and after the image, and the rest to the ``original`` ones of the image as it was loaded.
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


@torch.no_grad()
def upsampled_labels(logits: torch.Tensor, rows: AxisTaps, columns: AxisTaps, coarse: bool = False) -> torch.Tensor:
    """Labels (H, W) of an image by the best of its upsampled logits: uint8 up to 255 classes, int16 above.

    Upsampled logits are means of their neighbours' with weights from 0 to 1. Where one class is the best of all
    neighbours it is therefore the best in between, too, and nothing has to be upsampled there. What remains, along the
    boundaries of objects, is upsampled and compared pixel by pixel.

    Args:
        logits: Of one image, (C, h, w), of any float type.
        rows, columns: How those of the image come from those of ``logits``.
        coarse: Whether every pixel takes the label of the nearest logits instead.
    """
    dtype = torch.uint8 if len(logits) <= 255 else torch.int16
    rows, columns = rows.to(logits.device), columns.to(logits.device)
    pixels = logits.float().permute(1, 2, 0).contiguous()
    best = pixels.max(dim=2).indices.to(dtype)
    if coarse:
        y, x = (axis.start + axis.weights.argmax(dim=1) for axis in (rows, columns))
        return best.index_select(1, x).index_select(0, y)
    label, agreed = agreement(best, rows.taps, columns.taps)
    labels = label.index_select(1, columns.start).index_select(0, rows.start)
    bands, xs = agreed.logical_not().index_select(1, columns.start).nonzero().unbind(1)
    for begin in range(0, len(xs), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        _settle(labels, pixels, rows, columns, bands[part], xs[part])
    return labels


def agreement(best: torch.Tensor, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first label of every window of ``best``, labels (h, w), and whether all labels of the window are the same."""
    down, right = best.shape[0] - height + 1, best.shape[1] - width + 1
    label = best[:down, :right]
    agreed = torch.ones_like(label, dtype=torch.bool)
    for y in range(height):
        for x in range(width):
            agreed &= best[y:y + down, x:x + right] == label
    return label, agreed


def _settle(labels: torch.Tensor, pixels: torch.Tensor, rows: AxisTaps, columns: AxisTaps, band: torch.Tensor,
            x: torch.Tensor) -> None:
    """Labels pixels by their upsampled logits (h, w, C): in each column ``x`` all rows whose taps start at ``band``."""
    width, flat = pixels.shape[1], pixels.flatten(0, 1)
    at, across = band * width + columns.start[x], columns.weights[x]
    lines = [_mean([flat.index_select(0, at + row * width + column) for column in range(columns.taps)], across)
             for row in range(rows.taps)]
    first, count = rows.first[band], rows.count[band]
    for turn in range(int(count.max())):
        y, column, parts = first + turn, x, lines
        there = count > turn
        if not there.all():
            y, column, parts = y[there], x[there], [line[there] for line in lines]
        labels[y, column] = _mean(parts, rows.weights[y]).max(dim=1).indices.to(labels.dtype)


def _mean(parts: Sequence[torch.Tensor], weights: torch.Tensor) -> torch.Tensor:
    """Weighted sum of tensors of shape (N, C) with weights of shape (N, parts)."""
    # From the last to the first, each product added in one rounding: so does torch's own kernel, to the last bit.
    total = parts[-1] * weights[:, -1:]
    for index in range(len(parts) - 2, -1, -1):
        total = torch.addcmul(total, parts[index], weights[:, index:index + 1])
    return total
