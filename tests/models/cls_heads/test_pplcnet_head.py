"""The classification head by itself; its numbers against PaddleClas are in tests/models/backbones/test_pplcnet.py."""
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from torch import nn

from lcvision.models import PPLCNetHead


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


@pytest.fixture
def feats():
    return torch.randn(2, 4, 9, 9), torch.randn(2, 16, 5, 3)


def samples(*labels):
    return [DataSample().set_gt_label(label) for label in labels]


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


def test_dropout_acts_in_training_alone(feats):
    head = PPLCNetHead(7, 16, dropout=0.5)
    assert torch.equal(head.eval()(feats), head(feats))
    assert not torch.equal(head.train()(feats), head(feats))
    without = PPLCNetHead(7, 16, dropout=0.).train()
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


def test_trains_and_predicts_as_a_head_of_mmpretrain(feats):
    head = PPLCNetHead(7, 16, loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1), topk=(1, 5), cal_acc=True)
    losses = head.loss(feats, samples(3, 6))
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
def test_wrong_arguments_are_explained(wrong):
    (name, value), = wrong.items()
    with pytest.raises(ValueError, match=rf'PPLCNetHead: {name}={value} must'):
        PPLCNetHead(**{'num_classes': 5, 'in_channels': 16, **wrong})
