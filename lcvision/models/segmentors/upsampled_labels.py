"""The labels of bilinearly upsampled logits, without the upsampled logits."""
from collections.abc import Sequence

import torch

from lcvision.models.segmentors.axis_taps import AxisTaps

# Pixels whose logits are held at a time: few enough for a core's cache.
_CHUNK = 8192


@torch.no_grad()
def upsampled_labels(logits: torch.Tensor, rows: AxisTaps, columns: AxisTaps, coarse: bool = False) -> torch.Tensor:
    """Labels the pixels of an image by the best of its upsampled logits.

    Upsampled logits are means of their neighbours' with weights from 0 to 1. Where one class is the best of all
    neighbours it is therefore the best in between, too, and nothing has to be upsampled there. What remains, along the
    boundaries of what is seen, is upsampled and compared pixel by pixel.

    Args:
        logits: Of one image, of any float type.
        rows: How rows of the image come from those of ``logits``.
        columns: The same of columns.
        coarse: Whether every pixel takes the label of the nearest logits instead.

    Returns:
        Labels, uint8 up to 255 classes and int16 above.

    Shapes: (C, h, w) -> (H, W).
    """
    dtype = torch.uint8 if len(logits) <= 255 else torch.int16
    rows, columns = rows.to(logits.device), columns.to(logits.device)
    pixels = logits.float().permute(1, 2, 0).contiguous()
    best = pixels.max(dim=2).indices.to(dtype)
    if coarse:
        return best.index_select(1, columns.nearest).index_select(0, rows.nearest)
    label, agreed = agreement(best, rows.taps, columns.taps)
    labels = label.index_select(1, columns.start).index_select(0, rows.start)
    bands, xs = agreed.logical_not().index_select(1, columns.start).nonzero().unbind(1)
    for begin in range(0, len(xs), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        _settle(labels, pixels, rows, columns, bands[part], xs[part])
    return labels


def agreement(best: torch.Tensor, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first label of every window of a map, and whether all labels of the window are the same.

    Args:
        best: Labels, shape (h, w).
        height: Of the windows.
        width: Of the windows.
    """
    down, right = best.shape[0] - height + 1, best.shape[1] - width + 1
    label = best[:down, :right]
    agreed = torch.ones_like(label, dtype=torch.bool)
    for y in range(height):
        for x in range(width):
            agreed &= best[y:y + down, x:x + right] == label
    return label, agreed


def _settle(labels: torch.Tensor, pixels: torch.Tensor, rows: AxisTaps, columns: AxisTaps, band: torch.Tensor,
            x: torch.Tensor) -> None:
    """Labels pixels by their upsampled logits.

    Args:
        labels: Written to.
        pixels: Logits, shape (h, w, C).
        rows: Of the image.
        columns: Of the image.
        band: All rows of the image whose taps start here are labelled, shape (N,).
        x: In this column, shape (N,).
    """
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
