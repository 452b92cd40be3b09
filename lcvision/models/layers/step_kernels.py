"""Convolutions of a training step on a CPU, by the operations that oneDNN is fast at."""
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

# Wider kernels take oneDNN's general path for the gradient of the weights, which treats 16 channels as dense.
_WIDEST = 3
# With one thread, torch leaves 1 x 1 convolutions of fewer images to a matrix multiplication that takes twice as long.
_IMAGES = 16
_convolution_backward = torch.ops.aten.convolution_backward


def split_gradients(model: nn.Module) -> None:
    """Makes the training steps of a model quicker on a CPU; parameters, outputs and checkpoints stay as they are.

    Gradients of depthwise convolutions are equal up to rounding, and so are results of 1 x 1 convolutions, which take a
    few images in one thread for as many small ones as oneDNN asks for. Hard-swish and SiLU do not overwrite their input
    any more, which autograd would copy first.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and _is_pointwise(module):
            module._conv_forward = _pointwise  # type: ignore[method-assign, assignment]
        elif isinstance(module, nn.Conv2d) and _gains(module):
            module._conv_forward = partial(_forward, module.stride, module.padding)  # type: ignore[method-assign]
        elif isinstance(module, nn.Hardswish | nn.SiLU) and module.inplace:
            module.forward = F.hardswish if isinstance(module, nn.Hardswish) else F.silu  # type: ignore[method-assign]


def whole_gradients(model: nn.Module) -> None:
    """Takes back what :func:`split_gradients` has done."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Hardswish | nn.SiLU):
            vars(module).pop('_conv_forward' if isinstance(module, nn.Conv2d) else 'forward', None)


def _gains(conv: nn.Conv2d) -> bool:
    return (conv.groups == conv.in_channels == conv.out_channels > 1 and conv.bias is None
            and conv.dilation == (1, 1) and conv.padding_mode == 'zeros' and not isinstance(conv.padding, str)
            and (conv.kernel_size[1] > _WIDEST or conv.stride != (1, 1)))


def _is_pointwise(conv: nn.Conv2d) -> bool:
    return (conv.kernel_size == conv.stride == (1, 1) and conv.groups == 1 and conv.padding == (0, 0))


def _pointwise(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    left_to_matrices = x.dim() == 4 and len(x) < _IMAGES and torch.get_num_threads() == 1 and (
        x.dtype == torch.float32 and not torch.is_autocast_enabled('cpu'))
    if not left_to_matrices or not x.is_contiguous(memory_format=torch.channels_last):
        return F.conv2d(x, weight, bias)
    images, channels, height, width = x.shape
    pixels = images * height * width
    parts = next((count for count in range(_IMAGES, 2 * _IMAGES) if pixels % count == 0), 1)
    y = F.conv2d(x.permute(0, 2, 3, 1).reshape(parts, 1, -1, channels).permute(0, 3, 1, 2), weight, bias)
    return y.permute(0, 2, 3, 1).reshape(images, height, width, -1).permute(0, 3, 1, 2)


def _forward(stride: tuple[int, ...], padding: Any, x: torch.Tensor, weight: torch.Tensor,
             _: None) -> torch.Tensor:
    return _Depthwise.apply(x, weight, stride, padding)


class _Depthwise(torch.autograd.Function):
    @staticmethod
    @torch.amp.custom_fwd(device_type='cpu', cast_inputs=torch.bfloat16)
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, stride: tuple[int, int],
                padding: tuple[int, int]) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, None, stride, padding, 1, len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Any) -> tuple[torch.Tensor | None, ...]:  # type: ignore[override]
        grad, = grads
        x, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad[:2]
        # Narrow maps are mostly padding: parts of a kernel gain nothing there.
        in_parts = wanted[1] and _WIDEST < weight.shape[3] < x.shape[3]
        if x.dtype == torch.float32 and not in_parts:
            return (*_gradients(ctx, x, weight, grad, ctx.padding, wanted), None, None)
        of_x, of_weight = None, None
        if wanted[0]:  # in bfloat16 a stride takes ten to a hundred times as long
            of_x = _gradients(ctx, x, weight, grad, ctx.padding, (True, False), ctx.stride != (1, 1))[0]
        if in_parts:
            of_weight = torch.cat([_of_columns(ctx, x, weight, grad, i) for i in range(0, weight.shape[3], _WIDEST)], 3)
        elif wanted[1]:
            of_weight = _gradients(ctx, x, weight, grad, ctx.padding, (False, True), weight.shape[3] > _WIDEST)[1]
        return of_x, of_weight, None, None


def _of_columns(ctx: Any, x: torch.Tensor, weight: torch.Tensor, grad: torch.Tensor, start: int) -> torch.Tensor:
    """Gradient of the few columns of the kernel from ``start``, by the part of the padded map that they see."""
    columns = weight[..., start:start + _WIDEST]
    left = ctx.padding[1] - start
    right = ctx.stride[1] * (grad.shape[3] - 1) + columns.shape[3] - x.shape[3] - left
    return _gradients(ctx, F.pad(x, (left, right)), columns, grad, (ctx.padding[0], 0), (False, True))[1]


def _gradients(ctx: Any, x: torch.Tensor, weight: torch.Tensor, grad: torch.Tensor, padding: tuple[int, int],
               wanted: tuple[bool, bool], precise: bool = False) -> tuple:
    """Of the map and of the weight, in float32 where precise."""
    if precise:
        x, weight, grad = x.float(), weight.float(), grad.float()
    return _convolution_backward(grad, x, weight, None, ctx.stride, padding, (1, 1), False, (0, 0), len(weight),
                                 (*wanted, False))[:2]
