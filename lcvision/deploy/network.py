"""The bare network inside an mm model: image tensor in, raw maps out."""
import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import is_model_wrapper, revert_sync_batchnorm
from mmengine.registry import MODELS, DefaultScope
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

from lcvision.config import inner_dicts
from lcvision.errors import UserError
from lcvision.models.layers.blocks import AffineReLU
from lcvision.models.layers.step_kernels import whole_gradients
from lcvision.tasks import task_of

# Pixels of all images that norms are calibrated on, and the smallest and largest number of images.
_CALIBRATION_PIXELS, _CALIBRATION_IMAGES = 4 * 320 * 320, (2, 32)
_TRIAL_SIZE = (128, 128)

Nest = Callable[[Sequence[torch.Tensor]], Any]


class RawNetwork(nn.Module):
    """Backbone, neck and head of a detector, segmentor or classifier, without pre- and post-processing.

    Shapes: (N, 3, H, W) -> flat tuple of raw outputs: class and box logits, segmentation logits, class logits.
    """

    def __init__(self, backbone: nn.Module, neck: nn.Module | None, head: nn.Module | None):
        super().__init__()
        self.backbone = backbone
        self.neck = nn.Identity() if neck is None else neck
        self.head = nn.Identity() if head is None else head

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Raw outputs in one flat tuple."""
        return flatten(self.head(self.neck(self.backbone(x))))

    def nesting(self) -> Nest:
        """What puts flat outputs together as the head nests them, with the parts that are not tensors."""
        with torch.inference_mode():
            leaves, spec = tree_flatten(self.head(self.neck(self.backbone(torch.zeros(1, 3, *_TRIAL_SIZE)))))

        def nest(tensors: Sequence[torch.Tensor]) -> Any:
            left = iter(tensors)
            return tree_unflatten([next(left) if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves], spec)
        return nest


def flatten(outputs: object) -> tuple[torch.Tensor, ...]:
    """All tensors of nested tuples, lists and dicts, in order."""
    return tuple(leaf for leaf in tree_leaves(outputs) if isinstance(leaf, torch.Tensor))


def raw_network(model: nn.Module, input_size: tuple[int, int]) -> RawNetwork:
    """Copies the network out of a built model on any device and in any mode: in eval mode, float32, on the CPU.

    Raises:
        UserError: The model is not a chain of backbone, neck and head, or cannot run at this height and width.
    """
    head = task_of(model).head
    model = copy.deepcopy(model).to('cpu', torch.float32).eval().requires_grad_(False)
    whole_gradients(model)
    for module in model.modules():
        for key, hook in list(module._forward_pre_hooks.items()):
            if hook is to_channels_last:  # the layout of training: engines try their own
                del module._forward_pre_hooks[key]
    parts = dict(model.named_children())
    network = RawNetwork(parts['backbone'], parts.get('neck'), parts.get(head))
    x = example_input(input_size)
    with torch.inference_mode():
        try:
            outputs, expected = network(x), flatten(model(x, mode='tensor'))
        except Exception as error:
            raise UserError(f'{type(model).__name__} cannot run on one image of {input_size[0]}x{input_size[1]}: '
                            f'{type(error).__name__}: {error}') from error
    for what, tensors in (('weights', model.state_dict().values()), ('outputs', expected)):
        if not all(torch.isfinite(tensor).all() for tensor in tensors):
            raise UserError(f'{type(model).__name__} cannot be measured, its {what} are not finite: has the training '
                            'diverged? Take an earlier checkpoint')
    if len(outputs) != len(expected) or not all(a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-6)
                                                for a, b in zip(outputs, expected, strict=True)):
        raise UserError(f'{type(model).__name__} does more in its forward than run backbone, neck and {head} one '
                        'after the other, so it cannot be measured as one network')
    return revert_sync_batchnorm(network).eval()


def build_model(config: Config, calibrated: bool = True, input_size: tuple[int, int] = (160, 160)) -> nn.Module:
    """Builds the model of a config without data or weights, always with the same random ones, in eval mode.

    Of the config ``model``, ``data_preprocessor`` and ``default_scope`` are used; with ``calibrated``, norms are set as
    :func:`calibrate` does.

    Raises:
        UserError: There is no model, it does not build, or it has no network that could run by itself.
    """
    if not isinstance(config.get('model'), dict):
        raise UserError(f'{config.filename} has no model to measure: give the config of a model')
    settings: Any = copy.deepcopy(config.model)
    for part in inner_dicts(settings):
        part.update({key: None for key, value in part.items()
                     if key == 'pretrained' or (key == 'init_cfg' and 'Pretrained' in str(value))})
    if config.get('data_preprocessor') is not None:
        settings.setdefault('data_preprocessor', copy.deepcopy(config.data_preprocessor))
    scope = config.get('default_scope') or 'mmengine'
    try:
        with torch.random.fork_rng(devices=[]), DefaultScope.overwrite_default_scope(scope):
            torch.manual_seed(0)
            model = MODELS.build(settings)
            task_of(model)
            if calibrated:
                calibrate(model, input_size)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f'the model of {config.filename} does not build: {type(error).__name__}: {error}') from error
    return model.eval()


def calibrate(model: nn.Module, input_size: tuple[int, int] = (160, 160)) -> None:
    """Sets all norms of an untrained model so that its outputs show whether an engine computes right.

    Running statistics become those of noise images, and norms give values around 1, where activation functions are
    nearly linear: around the usual 0, with random weights, each of them makes two nearly equal maps more different,
    until rounding decides the output of a deep network.

    Args:
        model: It is changed, whatever its norms were.
        input_size: Height and width of the images; at another size the borders have another share of the statistics.
            The sides of very large ones are halved, which takes a quarter of the time.
    """
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]
    momenta, full_size = [norm.momentum for norm in norms], input_size
    while math.prod(input_size) > _CALIBRATION_PIXELS and not any(side % 128 for side in input_size):
        input_size = (input_size[0] // 2, input_size[1] // 2)
    for module in model.modules():
        if isinstance(module, AffineReLU):  # runtimes leave out a factor of 1 and a term of 0
            nn.init.constant_(module.weight, 0.9)
            nn.init.constant_(module.bias, 0.1)
    images = min(max(_CALIBRATION_PIXELS // math.prod(input_size), _CALIBRATION_IMAGES[0]), _CALIBRATION_IMAGES[1])
    model.eval()
    for norm in norms:
        norm.train()
        norm.reset_parameters()
        if norm.affine:
            nn.init.ones_(norm.bias)
        # Over all calls, where levels share a norm.
        norm.momentum = None
    try:
        with torch.no_grad():
            try:
                model(torch.randn(images, 3, *input_size), mode='tensor')
            except RuntimeError:  # a pooling may need more than half the size
                if input_size == full_size:
                    raise
                model(torch.randn(_CALIBRATION_IMAGES[0], 3, *full_size), mode='tensor')
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.eval()


def example_input(input_size: tuple[int, int]) -> torch.Tensor:
    """A normalised image of noise, always the same: (1, 3, H, W)."""
    return torch.randn((1, 3, *input_size), generator=torch.Generator().manual_seed(0))


def unwrapped(model: nn.Module) -> Any:
    """The model itself, where a runner has wrapped it for several processes."""
    return model.module if is_model_wrapper(model) else model


def to_channels_last(_: nn.Module, args: tuple) -> tuple:
    """Pre-hook that converts the input of a convolution."""
    return (args[0].contiguous(memory_format=torch.channels_last), *args[1:])
