"""Rewrites a network for inference: norms folded into convolutions, convolutions of vectors as matrix products."""
import copy
from collections import Counter
from contextlib import ExitStack

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

_TOLERANCE = 1e-3


def fuse_network(network: nn.Module, example: torch.Tensor) -> nn.Module:
    """A copy that computes the same with fewer operations: re-parameterised where modules can, norms folded.

    The network is in eval mode, and ``example`` is an input of it.

    Differs: mmengine's and mmcv's ``fuse_conv_bn`` take the order in which children were declared for the order in
        which they run. Here one forward pass shows which norm received which convolution's output, and a pair whose
        fused form does not give the same output stays as it is (a convolution that changes its weight in forward).
    """
    fused = copy.deepcopy(network)
    _deploy(fused)
    # Last: modules that were made for deployment come in training mode.
    fused.eval()
    with torch.no_grad():
        _replace(fused, _folded(fused, example))
    return fused


def linearize_vectors(network: nn.Module, example: torch.Tensor) -> nn.Module:
    """Replaces the 1 x 1 convolutions that only ever see 1 x 1 maps: squeeze-and-excitation, classifiers, pooling.

    Such a convolution computes for one to ten microseconds, and calling it through oneDNN takes 25; a compiler
    generates a matrix product in place. The network, in eval mode, is changed and returned; ``example`` is an input.
    """
    sizes: dict[nn.Module, int] = {}

    def note(conv: nn.Module, inputs: tuple) -> None:
        sizes[conv] = max(sizes.get(conv, 0), inputs[0].shape[-2:].numel())

    with ExitStack() as hooks, torch.no_grad():
        for module in network.modules():
            if (type(module) is nn.Conv2d and module.kernel_size == module.stride == (1, 1) and module.groups == 1
                    and module.padding in ((0, 0), 'same', 'valid')):
                hooks.enter_context(module.register_forward_pre_hook(note))
        network(example)
    return _replace(network, {conv: PointwiseLinear(conv) for conv, size in sizes.items()  # type: ignore[arg-type]
                              if size == 1})


class PointwiseLinear(nn.Module):
    """A linear layer over channels in place of a 1 x 1 convolution with stride 1, no padding and one group.

    Shapes: (N, C, H, W) -> (N, D, H, W).
    """

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.weight = nn.Parameter(conv.weight.detach().flatten(1).clone(), requires_grad=False)
        self.bias = None if conv.bias is None else nn.Parameter(conv.bias.detach().clone(), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same numbers as the convolution."""
        return F.linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(0, 3, 1, 2)


def _deploy(module: nn.Module) -> None:
    switch = getattr(module, 'switch_to_deploy', None)
    if callable(switch):
        switch()
        return
    for child in module.children():
        _deploy(child)


def _replace(network: nn.Module, swaps: dict[nn.Module, nn.Module]) -> nn.Module:
    for parent in list(network.modules()):
        for name, child in parent._modules.items():
            if child in swaps:
                parent._modules[name] = swaps[child]
    return network


def _folded(network: nn.Module, example: torch.Tensor) -> dict[nn.Module, nn.Module]:
    """What replaces the convolutions and norms that belong together."""
    made: dict[int, tuple[nn.Conv2d, torch.Tensor, torch.Tensor]] = {}
    pairs: dict[_BatchNorm, tuple[nn.Conv2d, nn.Module]] = {}
    calls: Counter[nn.Module] = Counter()
    calls_as_pair: Counter[nn.Module] = Counter()

    def after_conv(conv: nn.Conv2d, inputs: tuple, output: torch.Tensor) -> None:
        calls[conv] += 1
        # The output stays, too: while it lives, no other tensor can have its id.
        made[id(output)] = (conv, inputs[0], output)

    def after_norm(norm: _BatchNorm, inputs: tuple, output: torch.Tensor) -> None:
        calls[norm] += 1
        conv, x, _ = made.pop(id(inputs[0]), (None, None, None))
        if conv is None or norm.running_mean is None:
            return
        if norm not in pairs:
            fused = fuse_conv_bn_eval(conv, norm)
            # What watches the convolution would watch its copy, too, and keep every output alive.
            fused._forward_hooks.clear()
            if not (fused(x) - output).abs().max() <= _TOLERANCE * output.abs().max():
                return
            pairs[norm] = conv, fused
        calls_as_pair[norm] += pairs[norm][0] is conv

    with ExitStack() as hooks:
        for module in network.modules():
            if isinstance(module, nn.Conv2d | _BatchNorm):
                after = after_conv if isinstance(module, nn.Conv2d) else after_norm
                hooks.enter_context(module.register_forward_hook(after))  # type: ignore[arg-type]
        network(example)
    swaps: dict[nn.Module, nn.Module] = {}
    for norm, (conv, fused) in pairs.items():
        # Both must have met nobody else: heads share one convolution between levels that have norms of their own.
        if calls_as_pair[norm] == calls[conv] == calls[norm]:
            swaps[conv], swaps[norm] = fused, nn.Identity()
    return swaps
