"""Classification heads; PP-LCNet's numbers against PaddleClas are in tests/models/backbones/test_pplcnet.py."""
import numpy as np
import pytest
import torch
import torchvision
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from lcvision.complexity import count_params
from lcvision.models import ConvGapHead, MobileNetV3, MobileNetV3Head, PPLCNetHead
from lcvision.models.layers.blocks import make_divisible
from lcvision.weights.from_paddle import convert
from tests.fixture import Fixture, assert_close


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


@pytest.fixture
def feats():
    return torch.randn(2, 4, 9, 9), torch.randn(2, 16, 5, 3)


def test_logits_are_pooled_expanded_and_classified(feats):
    head = PPLCNetHead(7, 16).eval()
    pooled = feats[-1].mean((2, 3))
    expanded = nn.functional.hardswish(pooled @ head.expand.weight[:, :, 0, 0].T)
    assert head.expand.bias is None
    torch.testing.assert_close(head.pre_logits(feats), expanded)
    torch.testing.assert_close(head(feats), head.fc(expanded))
    assert head.pre_logits(feats).shape == (2, 1280) and head(feats).shape == (2, 7)


def test_without_expansion_there_is_neither_activation_nor_dropout(feats):
    head = PPLCNetHead(7, 16, expand_channels=None, dropout=0.9).train()
    assert [name for name, _ in head.named_parameters()] == ['fc.weight', 'fc.bias']
    torch.testing.assert_close(head(feats), head.fc(feats[-1].mean((2, 3))))


def test_width_and_activation_are_arguments(feats):
    head = PPLCNetHead(7, 16, expand_channels=32, act_cfg=dict(type='ReLU')).eval()
    features = head.pre_logits(feats)
    assert features.shape == (2, 32) and (features >= 0).all() and (features == 0).any()


@pytest.mark.parametrize('kind, widths', [(PPLCNetHead, ()), (ConvGapHead, (64,)), (MobileNetV3Head, (16, 32))])
def test_dropout_acts_in_training_alone(kind, widths, feats):
    head = kind(7, 16, *widths, dropout=0.5)
    assert torch.equal(head.eval()(feats), head(feats)) and head(feats).shape == (2, 7)
    assert not torch.equal(head.train()(feats), head(feats))
    without = kind(7, 16, *widths, dropout=0.).train()
    assert torch.equal(without(feats), without(feats))


def test_initialisation_equals_reference():
    """PaddleClas: normal of std sqrt(2 / fan-in) for the convolution, Xavier-uniform for the classifier."""
    head = PPLCNetHead(1000, 128)
    nn.init.constant_(head.fc.bias, 3.)
    head.init_weights()
    assert head.expand.weight.std().item() == pytest.approx((2 / 128) ** 0.5, rel=0.02)
    bound = (6 / (1280 + 1000)) ** 0.5
    assert 0.99 * bound < head.fc.weight.abs().max() <= bound
    assert head.fc.weight.std().item() == pytest.approx(bound / 3 ** 0.5, rel=0.02)
    assert not head.fc.bias.any()


@pytest.mark.parametrize('kind, widths', [(PPLCNetHead, ()), (ConvGapHead, (24,))])
def test_trains_and_predicts_as_a_head_of_mmpretrain(kind, widths, feats):
    head = kind(7, 16, *widths, loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1), topk=(1, 5), cal_acc=True)
    losses = head.loss(feats, [DataSample().set_gt_label(label) for label in (3, 6)])
    # mmpretrain gives a list of thresholds for each accuracy.
    (first,), (fifth,) = losses['accuracy_top-1'], losses['accuracy_top-5']
    assert losses['loss'] > 0 and 0 <= first.item() <= fifth.item() <= 100
    losses['loss'].backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in head.parameters())
    predictions = head.eval().predict(feats)
    scores = head(feats).softmax(-1)
    for sample, score in zip(predictions, scores, strict=True):
        torch.testing.assert_close(sample.pred_score, score)
        assert sample.pred_label.item() == score.argmax()


@pytest.mark.parametrize('wrong', [dict(num_classes=0), dict(num_classes=-3), dict(dropout=1.5), dict(dropout=-0.1)],
                         ids=str)
@pytest.mark.parametrize('kind', [PPLCNetHead, ConvGapHead])
def test_wrong_arguments_are_explained(kind, wrong):
    (name, value), = wrong.items()
    with pytest.raises(ValueError, match=rf'{kind.__name__}: {name}={value} must'):
        kind(**{'num_classes': 5, 'in_channels': 16, **wrong})


@torch.no_grad()
def test_activation_comes_before_the_pooling(feats):
    head = ConvGapHead(7, 16, 24).eval()
    nn.init.uniform_(head.conv.bn.running_mean)
    nn.init.normal_(head.conv.bn.bias)
    convolved = torch.einsum('oc,nchw->nohw', head.conv.conv.weight[:, :, 0, 0], feats[-1])
    pooled = nn.functional.relu6(head.conv.bn(convolved)).mean((2, 3))
    torch.testing.assert_close(head.pre_logits(feats), pooled)
    torch.testing.assert_close(head(feats), head.fc(pooled))
    assert head.pre_logits(feats).shape == (2, 24) and head(feats).shape == (2, 7)


def test_parameters_are_those_of_the_family():
    """MobileNetV2: a convolution without bias, its norm, a classifier with bias."""
    shapes = {name: tuple(p.shape) for name, p in ConvGapHead(1000, 320).named_parameters()}
    assert shapes == {'conv.conv.weight': (1280, 320, 1, 1), 'conv.bn.weight': (1280,), 'conv.bn.bias': (1280,),
                      'fc.weight': (1000, 1280), 'fc.bias': (1000,)}


def test_norm_and_activation_are_arguments(feats):
    head = ConvGapHead(7, 16, 24, norm_cfg=dict(type='BN', eps=1e-3, momentum=0.01), act_cfg=dict(type='SiLU'))
    assert (head.conv.bn.eps, head.conv.bn.momentum) == (1e-3, 0.01)
    assert isinstance(head.conv.activate, nn.SiLU)
    assert (head.eval().pre_logits(feats) < 0).any()


@pytest.mark.parametrize('init_cfg, conv_std, fc_std', [
    ({}, (2 / 1280) ** 0.5, 0.01),
    (dict(init_cfg=[dict(type='Normal', layer='Conv2d', std=0.5), dict(type='Normal', layer='Linear', std=0.2)]),
     0.5, 0.2),
], ids=['own', 'given'])
def test_initialisation(init_cfg, conv_std, fc_std):
    head = ConvGapHead(1000, 320, **init_cfg)
    nn.init.constant_(head.fc.bias, 3.)
    head.init_weights()
    assert head.conv.conv.weight.std().item() == pytest.approx(conv_std, rel=0.02)
    assert head.fc.weight.std().item() == pytest.approx(fc_std, rel=0.02)
    assert (head.conv.bn.weight == 1).all() and not head.conv.bn.bias.any() and not head.fc.bias.any()


# Millions of parameters in PaddleClas' table of MobileNetV3.
@pytest.mark.parametrize('arch, squeeze, scale, millions', [
    ('large', 960, 0.35, 2.10), ('large', 960, 0.5, 2.67), ('large', 960, 0.75, 3.91), ('large', 960, 1.0, 5.47),
    ('large', 960, 1.25, 7.44), ('small', 576, 0.5, 1.90), ('small', 576, 1.0, 2.94), ('small', 576, 1.25, 3.62),
])
def test_parameters_are_paddleclas(arch, squeeze, scale, millions):
    with torch.device('meta'):
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
