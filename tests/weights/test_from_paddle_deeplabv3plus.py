"""PaddleSeg's DeepLabV3P with either backbone onto our segmentors."""
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from lcvision.cli.convert_weights import main
from lcvision.errors import UserError
from lcvision.models import MobileNetV3, PPLCNet
from lcvision.weights import load_state_dict_file
from lcvision.weights.compatibility import check_compatible
from lcvision.weights.conversion import ConversionError
from lcvision.weights.from_paddle import convert, convert_with_report, rename
from tests.fixture import Fixture, assert_close

ROOT = Path(__file__).parents[2]
FILE = ROOT / 'tests/fixtures/seg_deeplabv3p_pplcnet_x0_25.npz'
OPTIONS = {'model.backbone.scale': 0.25, 'model.decode_head.in_channels': [16, 128],
           'model.decode_head.aspp_channels': 32, 'model.decode_head.num_classes': 5}


def build(name, options):
    init_default_scope('mmseg')
    config = Config.fromfile(ROOT / f'configs/segmentation/deeplabv3plus_{name}.py')
    config.merge_from_dict(options)
    return MODELS.build(config.model)


@pytest.fixture(scope='module')
def fixture():
    return Fixture(FILE.stem)


@pytest.fixture(scope='module')
def mobile():
    """A Paddle state dict with MobileNetV3 of 2021: its backbone from the reference, its head of random numbers."""
    backbone = Fixture('bb_mobilenetv3_large_paperseg')
    model = build('mobilenetv3_large_0_5x', OPTIONS | {'model.decode_head.in_channels': [8, 40]})
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    rng = np.random.default_rng(0)
    named = {f'backbone.{name}': array for name, array in backbone.params.items()}
    named |= {name: rng.random(shapes[rename(name)], np.float32) for name in Fixture(FILE.stem).params
              if name.startswith('head.')}
    return model, named, backbone


def test_every_tensor_finds_its_place(fixture):
    model = build('pplcnet_0_5x', OPTIONS)
    state, report = convert_with_report(fixture.params, model)
    assert report.complete and report.mapped.keys() == fixture.params.keys() and not report.dropped
    assert len(set(report.mapped.values())) == len(report.mapped)
    model.load_state_dict(state, strict=True)
    for name, target in report.mapped.items():
        np.testing.assert_array_equal(state[target], fixture.params[name])


@pytest.mark.parametrize(('paddle', 'ours'), [
    ('aspp.aspp_blocks.0._conv.bias', 'aspp.branches.0.conv.bias'),
    ('aspp.aspp_blocks.3.piontwise_conv._batch_norm._variance', 'aspp.branches.3.pointwise_conv.bn.running_var'),
    ('aspp.aspp_blocks.12.depthwise_conv._conv.weight', 'aspp.branches.12.depthwise_conv.conv.weight'),
    ('aspp.global_avg_pool.1._batch_norm.weight', 'aspp.image_pool.bn.weight'),
    ('aspp.conv_bn_relu._conv.weight', 'aspp.project.conv.weight'),
    ('decoder.conv_bn_relu1._conv.bias', 'low_level.conv.bias'),
    ('decoder.conv_bn_relu2.depthwise_conv._batch_norm._mean', 'fuse.0.depthwise_conv.bn.running_mean'),
    ('decoder.conv_bn_relu3.piontwise_conv._conv.weight', 'fuse.1.pointwise_conv.conv.weight'),
    ('decoder.conv.bias', 'conv_seg.bias'),
    ('decoder.conv_bn_relu4._conv.bias', None),
    ('aspp.aspp_blocks.0._prelu._weight', None),
])
def test_names_of_the_head(paddle, ours):
    assert rename(f'head.{paddle}') == (ours and f'decode_head.{ours}')


@torch.no_grad()
def test_mobilenet_v3_of_the_papers_time(mobile):
    model, named, reference = mobile
    assert {name.split('.')[1] for name in named if name.startswith('backbone.')} == {
        f'conv{i}' for i in range(1, 17)}
    state, report = convert_with_report(named, model)
    assert report.complete and report.mapped.keys() == named.keys()
    model.load_state_dict(state, strict=True)
    for index, feat in enumerate(model.eval().backbone(reference['input'])):
        assert_close(feat, reference[f'feat/{index}'])


def test_mobilenet_v3_with_todays_names(mobile):
    model, named, _ = mobile

    def newer(name):
        part, _, rest = name.removeprefix('backbone.').partition('.')
        return f'backbone.conv.{rest}' if part == 'conv1' else f'backbone.blocks.{int(part[4:]) - 2}.{rest}'

    renamed = {newer(name) if name.startswith('backbone.') else name: array for name, array in named.items()}
    assert {f'backbone.blocks.{i}' for i in range(15)} == {
        '.'.join(name.split('.')[:3]) for name in renamed if name.startswith('backbone.blocks')}
    state = convert(renamed, model)
    assert all(torch.equal(state[name], value) for name, value in convert(named, model).items())


def test_a_backbone_takes_its_part(fixture, mobile):
    state = convert(fixture.params, PPLCNet(0.25))
    np.testing.assert_array_equal(state['stem.conv.weight'], fixture.params['backbone.conv1.conv.weight'])
    state = convert(mobile[1], MobileNetV3('large', 0.25, 'paddleseg2021'))
    np.testing.assert_array_equal(state['stem.conv.weight'], mobile[1]['backbone.conv1.conv.weight'])


def test_what_does_not_fit_is_named(fixture):
    with pytest.raises(ConversionError) as caught:
        convert(fixture.params, build('pplcnet_0_5x', OPTIONS | {'model.decode_head.num_classes': 7}))
    assert [item.name for item in caught.value.misshapen] == [
        f'head.decoder.conv.{leaf} -> decode_head.conv_seg.{leaf}' for leaf in ('weight', 'bias')]
    assert not caught.value.missing and not caught.value.unexpected
    with pytest.raises(ConversionError) as caught:
        convert(fixture.params, build('mobilenetv3_large_0_5x', OPTIONS))
    assert all(name.startswith('backbone.') for name in caught.value.missing + caught.value.unexpected)


def test_the_tool_converts_a_segmentor(tmp_path, capsys, fixture):
    target = tmp_path / 'segmentor.safetensors'
    config = ROOT / 'configs/segmentation/deeplabv3plus_pplcnet_0_5x.py'
    options = [f'{key}={value}'.replace(' ', '') for key, value in OPTIONS.items()]
    assert main([str(FILE), str(target), '--config', str(config), '--cfg-options', *options]) == 0
    assert f'{len(fixture.params)} tensors mapped' in capsys.readouterr().out
    state = load_state_dict_file(target)
    build('pplcnet_0_5x', OPTIONS).load_state_dict(state, strict=True)
    other = build('pplcnet_0_5x', OPTIONS | {'model.decode_head.num_classes': 11})
    anew = check_compatible(other, state, target, drop_class_layers=True)
    assert anew == ['decode_head.conv_seg.weight', 'decode_head.conv_seg.bias']


def test_the_tool_refuses_another_width(tmp_path):
    config = ROOT / 'configs/segmentation/deeplabv3plus_pplcnet_0_5x.py'
    with pytest.raises(UserError, match='misshapen') as error:
        main([str(FILE), str(tmp_path / 'x.pth'), '--config', str(config)])
    assert '\n' not in str(error.value) and not list(tmp_path.iterdir())
