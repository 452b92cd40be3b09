import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn

from lcvision.deploy import network as network_module
from lcvision.deploy.network import RawNetwork, build_model, calibrate, example_input, raw_network
from lcvision.engine.hooks.memory_format_hook import MemoryFormatHook
from lcvision.errors import UserError
from lcvision.models.layers.blocks import AffineReLU
from lcvision.tasks import task_of

BACKBONE = dict(depth=18, norm_cfg=dict(type='BN'), num_stages=4, style='pytorch')
DETECTOR = dict(
    type='SingleStageDetector',
    backbone=dict(type='ResNet', init_cfg=dict(type='Pretrained', checkpoint='/nowhere.pth'), **BACKBONE),
    neck=dict(type='FPN', in_channels=[64, 128, 256, 512], out_channels=16, num_outs=4),
    bbox_head=dict(type='GFLHead', num_classes=3, in_channels=16, feat_channels=16, stacked_convs=1, reg_max=7,
                   norm_cfg=dict(type='BN'),
                   anchor_generator=dict(type='AnchorGenerator', ratios=[1.], octave_base_scale=8, scales_per_octave=1,
                                         strides=[4, 8, 16, 32])))
SEGMENTOR = dict(
    type='EncoderDecoder', pretrained='/nowhere.pth', backbone=dict(type='ResNetV1c', **BACKBONE),
    decode_head=dict(type='FCNHead', in_channels=512, channels=8, num_convs=1, num_classes=5, in_index=3,
                     align_corners=False),
    auxiliary_head=dict(type='FCNHead', in_channels=256, channels=8, num_convs=1, num_classes=5, in_index=2,
                        align_corners=False),
    train_cfg=dict(), test_cfg=dict(mode='whole'))
CLASSIFIER = dict(
    type='ImageClassifier', backbone=dict(type='ResNet', depth=18), neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=7, in_channels=512))


@pytest.mark.parametrize('scope, model, task, shapes', [
    ('mmdet', DETECTOR, 'detection', [(1, 3, 16 >> i, 24 >> i) for i in range(4)]
     + [(1, 32, 16 >> i, 24 >> i) for i in range(4)]),
    ('mmseg', SEGMENTOR, 'segmentation', [(1, 5, 2, 3)]),
    ('mmpretrain', CLASSIFIER, 'classification', [(1, 7)]),
])
def test_three_tasks_from_configs(scope, model, task, shapes):
    built = build_model(Config(dict(default_scope=scope, model=model)), input_size=(64, 96))
    network = raw_network(built, (64, 96))
    assert task_of(built).name == task
    assert not network.training and not any(p.requires_grad for p in network.parameters())
    outputs = network(example_input((64, 96)))
    assert [tuple(x.shape) for x in outputs] == shapes
    assert all(torch.isfinite(x).all() and x.std() > 1e-3 for x in outputs)
    assert not any('auxiliary' in name for name, _ in network.named_modules())


def test_building_leaves_the_random_state_and_repeats_itself():
    config = Config(dict(default_scope='mmpretrain', model=CLASSIFIER))
    state = torch.random.get_rng_state()
    first = build_model(config, input_size=(32, 32))
    assert torch.equal(state, torch.random.get_rng_state())
    second = build_model(config, input_size=(32, 32))
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


class Nested(nn.Module):
    def forward(self, x):
        return [x, None], dict(y=(x + 1,), stride=8), x + 2


def test_outputs_come_apart_and_together_again():
    network = RawNetwork(nn.Identity(), None, Nested())
    outputs = network(torch.zeros(1, 3, 2, 2))
    assert [y.mean() for y in outputs] == [0, 1, 2]
    (first, none), rest, last = network.nesting()(list('abc'))
    assert (first, none, rest, last) == ('a', None, dict(y=('b',), stride=8), 'c')
    assert RawNetwork(nn.Identity(), None, None).nesting()(['a']) == 'a'


class Chain(nn.Module):
    def __init__(self, twist=False):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.bbox_head = nn.Conv2d(4, 2, 1)
        self.twist = twist

    def forward(self, x, mode='tensor'):
        x = self.bbox_head(self.backbone(x))
        return x * 2 if self.twist else x


def test_raw_network_leaves_the_model_as_it_was():
    model = Chain().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    network = raw_network(model, (16, 16))
    assert model.training and all(p.requires_grad for p in model.parameters())
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    network.head.weight.zero_()
    assert model.bbox_head.weight.abs().sum() > 0


def test_a_forward_with_more_in_it_is_refused():
    with pytest.raises(UserError, match='does more in its forward'):
        raw_network(Chain(twist=True), (16, 16))


@pytest.mark.parametrize('weight, bias, what', [(float('nan'), 0., 'weights'), (1., float('inf'), 'weights'),
                                                (3e38, 0., 'outputs')])
def test_a_diverged_model_is_not_blamed_for_its_forward(weight, bias, what):
    model = Chain()
    nn.init.constant_(model.bbox_head.weight, weight)
    nn.init.constant_(model.bbox_head.bias, bias)
    nn.init.constant_(model.backbone[1].bias, 3.)
    with pytest.raises(UserError, match=f'its {what} are not finite: has the training diverged'):
        raw_network(model, (16, 16))


@pytest.mark.parametrize('layout', ['channels_last', 'contiguous'])
def test_the_layout_of_training_is_not_that_of_the_measurement(layout):
    class Seen(nn.Conv2d):
        def forward(self, x):
            seen.append(x.is_contiguous())
            return super().forward(x)

    seen, model = [], Chain()
    model.backbone.insert(0, Seen(3, 3, 1))
    runner = SimpleNamespace(model=model, logger=logging.getLogger('layout'))
    MemoryFormatHook(layout).before_train(runner)
    x = example_input((16, 16))
    model(x)
    assert seen == [layout == 'contiguous']
    network = raw_network(model, (16, 16))
    seen.clear()
    network(x)
    assert seen == [True]
    model(x)
    assert seen[1] == (layout == 'contiguous')


def test_a_size_that_does_not_run_is_named():
    with pytest.raises(UserError, match='2x2'):
        raw_network(Chain(), (2, 2))


def test_calibrate_normalises_every_layer_and_keeps_the_momentum():
    model = Chain().train()
    nn.init.zeros_(model.backbone[1].weight)
    calibrate(model, (64, 96))
    assert model.backbone[1].momentum == 0.1 and not model.training
    maps = model.backbone[:2](torch.randn(8, 3, 64, 96))
    assert maps.std((0, 2, 3)).min() > 0.9 and maps.std((0, 2, 3)).max() < 1.1


def test_example_is_always_the_same():
    assert torch.equal(example_input((4, 6)), example_input((4, 6)))
    assert example_input((4, 6)).shape == (1, 3, 4, 6)


def test_config_without_or_with_a_wrong_model():
    with pytest.raises(UserError, match='no model'):
        build_model(Config(dict(a=1)))
    with pytest.raises(UserError, match='does not build'):
        build_model(Config(dict(default_scope='mmdet', model=dict(type='NoSuchDetector'))))


def test_the_whole_mm_model_gives_the_same_raw_maps():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(CLASSIFIER).eval()
    x = example_input((32, 32))
    torch.testing.assert_close(raw_network(model, (32, 32))(x)[0], model(x, mode='tensor'))


def test_calibrate_takes_the_full_size_where_half_is_too_small_and_leaves_no_number_that_a_runtime_drops(monkeypatch):
    monkeypatch.setattr(network_module, '_CALIBRATION_PIXELS', 1)

    class Pooled(nn.Sequential):
        def forward(self, x, mode):
            return super().forward(x)

    norm, affine = nn.BatchNorm2d(3), AffineReLU()
    calibrate(Pooled(nn.Conv2d(3, 3, 1), norm, affine, nn.AvgPool2d(200)), (256, 256))
    assert norm.running_var.max() < 1 and norm.bias.eq(1).all()
    assert affine.weight.item() not in (0, 1) and affine.bias.item() != 0
    with pytest.raises(RuntimeError, match='too small'):
        calibrate(Pooled(nn.AvgPool2d(300)), (256, 256))
