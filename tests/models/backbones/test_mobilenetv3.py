"""MobileNetV3 against PaddleDetection, PaddleSeg of 2021 and torchvision."""
import pytest
import torch
import torchvision
from torch import nn

from lcvision.complexity import count_params
from lcvision.models import MobileNetV3
from lcvision.models.layers.blocks import HardSigmoid, SqueezeExcite
from lcvision.weights.from_paddle import convert
from tests.fixture import Fixture, assert_close

# Expanded, output and squeeze-excite width of each block of Paddle's 'large' network.
LARGE = {
    0.35: [(8, 8), (24, 8), (24, 8), (24, 16, 6), (40, 16, 10), (40, 16, 10), (88, 32), (72, 32), (64, 32), (64, 32),
           (168, 40, 42), (232, 40, 58), (232, 56, 58), (336, 56, 84), (336, 56, 84)],
    0.5: [(8, 8), (32, 16), (40, 16), (40, 24, 10), (64, 24, 16), (64, 24, 16), (120, 40), (104, 40), (96, 40),
          (96, 40), (240, 56, 60), (336, 56, 84), (336, 80, 84), (480, 80, 120), (480, 80, 120)],
    0.75: [(16, 16), (48, 24), (56, 24), (56, 32, 14), (88, 32, 22), (88, 32, 22), (184, 64), (152, 64), (136, 64),
           (136, 64), (360, 88, 90), (504, 88, 126), (504, 120, 126), (720, 120, 180), (720, 120, 180)],
}


@pytest.mark.parametrize('name, kwargs, maps', [
    ('bb_mobilenetv3_large_x0_35_det', dict(scale=0.35), ('fm4', 'fm7', 'fm13', 'fm16')),
    ('bb_mobilenetv3_large_paperseg', dict(scale=0.25, style='paddleseg2021'), ('0', '1', '2', '3')),
])
@torch.no_grad()
def test_forward_equals_paddle(name, kwargs, maps):
    fixture = Fixture(name)
    model = MobileNetV3('large', **kwargs).eval()
    model.load_state_dict(convert(fixture.params, model))
    for ours, key in zip(model(fixture['input']), maps, strict=True):
        assert_close(ours, fixture[f'feat/{key}'], 1e-5)


@torch.no_grad()
def test_block_before_the_last_of_its_stride_equals_paddle():
    fixture = Fixture('bb_mobilenetv3_large_x0_35_det')
    model = MobileNetV3('large', 0.35).eval()
    model.load_state_dict(convert(fixture.params, model))
    maps = {}
    model.blocks[1].register_forward_hook(lambda module, inputs, output: maps.update(fm3=output))
    model(fixture['input'])
    assert_close(maps['fm3'], fixture['feat/fm3'], 1e-5)


@torch.no_grad()
def test_paddle_styles_are_not_interchangeable():
    """Names and shapes of the two agree: only the numbers tell them apart."""
    fixture = Fixture('bb_mobilenetv3_large_paperseg')
    model = MobileNetV3('large', 0.25).eval()
    model.load_state_dict(convert(fixture.params, model))
    assert (model(fixture['input'])[-1] - fixture['feat/3']).abs().max() > 0.1


def test_torchvision_style_refuses_paddles_weights():
    with pytest.raises(ValueError, match='misshapen'):
        convert(Fixture('bb_mobilenetv3_large_paperseg').params, MobileNetV3('large', 0.25, 'torchvision'))


@pytest.mark.parametrize('scale, params', [(0.35, 373_760), (0.5, 738_662), (0.75, 1_621_808)])
def test_widths_and_parameters_are_paddles(scale, params):
    with torch.device('meta'):
        model = MobileNetV3('large', scale)
    assert count_params(model) == params
    widths = [(b.dw.conv.in_channels, b.project.conv.out_channels)
              + ((b.se.reduce.out_channels,) if isinstance(b.se, SqueezeExcite) else ()) for b in model.blocks]
    assert widths == LARGE[scale]
    assert model.out_channels == tuple(LARGE[scale][i][1] for i in (2, 5, 11, 14))


def randomise(model):
    """Weights and statistics with which no layer is an identity and none blows up."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (module.bias, module.running_mean):
                nn.init.uniform_(tensor, -0.5, 0.5)
        elif isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.uniform_(module.bias, -1, 1)


@pytest.mark.parametrize('scale', [0.35, 0.75, 1.0])
@pytest.mark.parametrize('arch, blocks', [('large', (2, 5, 11, 14)), ('small', (0, 2, 7, 10))])
@torch.no_grad()
def test_torchvision_style_is_torchvision(arch, blocks, scale):
    reference = getattr(torchvision.models, f'mobilenet_v3_{arch}')(width_mult=scale).eval()
    randomise(reference)
    model = MobileNetV3(arch, scale, 'torchvision').eval()
    theirs = reference.features[:-1].state_dict()
    assert [v.shape for v in model.state_dict().values()] == [v.shape for v in theirs.values()]
    model.load_state_dict(dict(zip(model.state_dict(), theirs.values(), strict=True)))
    expected = {}
    for index in blocks:
        reference.features[index + 1].register_forward_hook(
            lambda module, inputs, output, index=index: expected.update({index: output}))
    image = torch.randn(1, 3, 65, 96)
    reference(image)
    for ours, index in zip(model(image), blocks, strict=True):
        assert_close(ours, expected[index], 1e-5)
    norms = [[(m.eps, m.momentum) for m in part.modules() if isinstance(m, nn.BatchNorm2d)]
             for part in (model, reference.features[:-1])]
    assert norms[0] == norms[1]


@pytest.mark.parametrize('arch, blocks', [('large', 15), ('small', 11)])
@pytest.mark.parametrize('style', ['paddle', 'paddleseg2021', 'torchvision'])
def test_styles_have_their_parts(arch, blocks, style):
    model = MobileNetV3(arch, 0.5, style)
    assert len(model.blocks) == blocks
    kinds = [type(m) for m in model.modules()]
    assert (HardSigmoid in kinds) == (style == 'paddle')
    assert (nn.Hardsigmoid in kinds) == (style != 'paddle')
    activations = {type(b.dw.activate) for b in model.blocks}
    assert activations == ({nn.Hardswish} if style == 'paddleseg2021' else {nn.Hardswish, nn.ReLU})
    assert isinstance(model.blocks[0].expand, nn.Identity) == (style == 'torchvision')
    eps = {m.eps for m in model.modules() if isinstance(m, nn.BatchNorm2d)}
    assert eps == {1e-3 if style == 'torchvision' else 1e-5}


@torch.no_grad()
def test_small_yields_the_last_block_of_each_stride():
    model = MobileNetV3('small', 0.5).eval()
    assert (model.out_channels, model.out_strides) == ((8, 16, 24, 48), (4, 8, 16, 32))
    shapes = [tuple(m.shape) for m in model(torch.randn(1, 3, 70, 33))]
    assert shapes == [(1, 8, 18, 9), (1, 16, 9, 5), (1, 24, 5, 3), (1, 48, 3, 2)]
    assert len(MobileNetV3('small', 0.5, out_indices=(1,)).blocks) == 3
    assert count_params(MobileNetV3('small', 0.5, frozen_stages=3)) == count_params(model)


def test_frozen_stages_count_blocks():
    model = MobileNetV3('large', 0.25, frozen_stages=3).train()
    trained = {name.rsplit('.', 3)[0] for name, p in model.named_parameters() if p.requires_grad}
    assert 'blocks.3' in {name[:8] for name in trained}
    assert not trained & {'stem', 'blocks.0', 'blocks.1', 'blocks.2'}
    assert not model.blocks[2].training and model.blocks[3].training


@pytest.mark.parametrize('kwargs, message', [
    (dict(arch='medium'), "arch='medium' must be one of 'large', 'small'"),
    (dict(style='mmpretrain'), "style='mmpretrain' must be one of 'paddle', 'paddleseg2021', 'torchvision'"),
    (dict(scale=0), 'scale=0 must be above 0'),
    (dict(strides=(2, 2)), r'strides=\(2, 2\) must be 5 numbers 1 or 2'),
])
def test_wrong_arguments_are_explained(kwargs, message):
    with pytest.raises(ValueError, match=message):
        MobileNetV3(**kwargs)


@pytest.mark.parametrize('arch', ['large', 'small'])
@torch.no_grad()
def test_strides_are_chosen(arch):
    model, usual = MobileNetV3(arch, 0.35, strides=(1, 2, 2, 2, 1)).eval(), MobileNetV3(arch, 0.35)
    assert model.out_strides == (2, 4, 8, 8) and model.out_channels == usual.out_channels
    model.load_state_dict(usual.state_dict())
    assert [m.shape[-1] for m in model(torch.randn(1, 3, 32, 32))] == [16, 8, 4, 4]
