"""The head of MobileNetV3 in a whole classifier: counts of PaddleClas, logits of torchvision, Paddle's names."""
import numpy as np
import pytest
import torch
import torchvision
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from torch import nn

from lcvision.complexity import count_params
from lcvision.models import MobileNetV3, MobileNetV3Head
from lcvision.models.layers import make_divisible
from lcvision.weights.from_paddle import convert
from tests.fixture import Fixture, assert_close


# Millions of parameters in PaddleClas' table of MobileNetV3.
@pytest.mark.parametrize('arch, squeeze, scale, millions', [
    ('large', 960, 0.35, 2.10), ('large', 960, 0.5, 2.67), ('large', 960, 0.75, 3.91), ('large', 960, 1.0, 5.47),
    ('large', 960, 1.25, 7.44), ('small', 576, 0.5, 1.90), ('small', 576, 1.0, 2.94), ('small', 576, 1.25, 3.62),
])
def test_parameters_are_paddleclas(arch, squeeze, scale, millions):
    backbone = MobileNetV3(arch, scale)
    head = MobileNetV3Head(1000, backbone.out_channels[-1], make_divisible(squeeze * scale))
    assert (count_params(backbone) + count_params(head)) / 1e6 == pytest.approx(millions, abs=0.011)


@pytest.mark.parametrize('arch, params', [('large', 5_483_032), ('small', 2_542_856)])
@torch.no_grad()
def test_classifier_equals_torchvision(arch, params):
    reference = getattr(torchvision.models, f'mobilenet_v3_{arch}')().eval()
    linear, last = reference.classifier[0], reference.features[-1]
    for norm in (m for m in reference.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
    nn.init.uniform_(linear.bias, -1, 1)
    backbone = MobileNetV3(arch, style='torchvision').eval()
    head = MobileNetV3Head(1000, backbone.out_channels[-1], linear.in_features, linear.out_features, expand_bias=True,
                           norm_cfg=dict(type='BN', eps=1e-3, momentum=0.01)).eval()
    assert count_params(backbone) + count_params(head) == params
    theirs = reference.features[:-1].state_dict().values()
    backbone.load_state_dict(dict(zip(backbone.state_dict(), theirs, strict=True)))
    head.conv.load_state_dict(dict(zip(head.conv.state_dict(), last.state_dict().values(), strict=True)))
    head.expand.load_state_dict(dict(weight=linear.weight[:, :, None, None], bias=linear.bias))
    head.fc.load_state_dict(reference.classifier[3].state_dict())
    image = torch.randn(2, 3, 96, 64)
    assert_close(head(backbone(image)), reference(image), 1e-5)


def test_classifier_takes_a_file_of_paddleclas():
    fixture, rng = Fixture('bb_mobilenetv3_large_x0_35_det'), np.random.default_rng(0)
    named = {f'conv{name[5:]}' if name.startswith('conv1.')
             else f'blocks.{int(name[4:name.index(".")]) - 2}{name[name.index("."):]}': value
             for name, value in fixture.params.items()}
    shapes = {'last_second_conv.conv.weight': (336, 56, 1, 1), 'last_conv.weight': (1280, 336, 1, 1),
              'fc.weight': (1280, 10), 'fc.bias': (10,),
              **{f'last_second_conv.bn.{leaf}': (336,) for leaf in ('weight', 'bias', '_mean', '_variance')}}
    named |= {name: rng.random(shape, dtype=np.float32) for name, shape in shapes.items()}
    init_default_scope('mmpretrain')
    model = MODELS.build(dict(
        type='mmpretrain.ImageClassifier',
        backbone=dict(type='lcvision.MobileNetV3', scale=0.35, out_indices=(3,)),
        head=dict(type='lcvision.MobileNetV3Head', num_classes=10, in_channels=56, mid_channels=336)))
    model.load_state_dict(convert(named, model), strict=True)
    np.testing.assert_array_equal(model.head.conv.conv.weight.detach(), named['last_second_conv.conv.weight'])
    np.testing.assert_array_equal(model.head.conv.bn.running_var, named['last_second_conv.bn._variance'])
    np.testing.assert_allclose(model.head.fc.weight.detach(), named['fc.weight'].T * 0.8, rtol=1e-6)


def test_initialisation_of_the_head_is_its_own():
    head = MobileNetV3Head(10, 56, 336)
    head.init_weights()
    # Normal with variance 2 / fan_in; a ConvModule left to itself would take fan_out.
    assert head.conv.conv.weight.std().item() == pytest.approx((2 / 56) ** 0.5, rel=0.05)
    assert head.expand.weight.std().item() == pytest.approx((2 / 336) ** 0.5, rel=0.05)


def test_dropout_acts_in_training_alone():
    head, maps = MobileNetV3Head(10, 8, 16, 32, dropout=0.5).train(), (torch.randn(4, 8, 3, 3),)
    assert not torch.equal(head(maps), head(maps))
    assert torch.equal(head.eval()(maps), head(maps))
    assert head(maps).shape == (4, 10)
