"""The head that convolves before it pools: its order of layers, its arguments, and it as a head of mmpretrain."""
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from torch import nn

from lcvision.models import ConvGapHead


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


@pytest.fixture
def feats():
    return torch.randn(2, 4, 9, 9), torch.randn(2, 16, 5, 3)


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


def test_dropout_acts_in_training_alone(feats):
    head = ConvGapHead(7, 16, 64, dropout=0.5)
    assert torch.equal(head.eval()(feats), head(feats))
    assert not torch.equal(head.train()(feats), head(feats))
    without = ConvGapHead(7, 16, 64, dropout=0.).train()
    assert torch.equal(without(feats), without(feats))


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


def test_trains_and_predicts_as_a_head_of_mmpretrain(feats):
    head = ConvGapHead(7, 16, 24, loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1))
    losses = head.loss(feats, [DataSample().set_gt_label(label) for label in (3, 6)])
    losses['loss'].backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in head.parameters())
    scores = head.eval()(feats).softmax(-1)
    for sample, score in zip(head.predict(feats), scores, strict=True):
        torch.testing.assert_close(sample.pred_score, score)


@pytest.mark.parametrize('wrong', [dict(num_classes=0), dict(dropout=1.5)], ids=str)
def test_wrong_arguments_are_explained(wrong):
    (name, value), = wrong.items()
    with pytest.raises(ValueError, match=rf'ConvGapHead: {name}={value} must'):
        ConvGapHead(**{'num_classes': 5, 'in_channels': 16, **wrong})
