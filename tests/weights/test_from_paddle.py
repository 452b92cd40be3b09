import re
from pathlib import Path

import numpy as np
import paddle_shaped
import pytest
import torch

from lcvision.errors import UserError
from lcvision.models import PPLCNetV2
from lcvision.weights.conversion import ConversionError
from lcvision.weights.from_paddle import convert, convert_with_report, rename
from lcvision.weights.safe_load import read_paddle

FIXTURES = Path(__file__).parents[1] / 'fixtures'


@pytest.fixture(scope='module')
def classification():
    return read_paddle(FIXTURES / 'cls_pplcnet_x0_25.npz')


@pytest.mark.parametrize('generation', ['paper', 'legacy', 'v2'])
def test_every_tensor_of_the_three_detectors_finds_its_place(generation):
    named = read_paddle(FIXTURES / f'det_{generation}_pplcnet_x0_25.npz')
    model = paddle_shaped.detector(generation)
    state, report = convert_with_report(named, model)
    assert report.complete
    model.load_state_dict(state, strict=True)
    assert report.mapped.keys() | report.dropped.keys() == named.keys()
    assert len(set(report.mapped.values())) == len(report.mapped)
    assert all('scale_reg' in name or 'distribution_project' in name for name in report.dropped)
    for name, target in report.mapped.items():
        np.testing.assert_array_equal(state[target], named[name])
        assert state[target].dtype == torch.float32


@pytest.mark.parametrize(('paddle', 'ours'), [
    ('backbone.blocks6.1.se.conv1.bias', 'backbone.stages.4.1.se.reduce.bias'),
    ('backbone.conv1.bn._variance', 'backbone.stem.bn.running_var'),
    ('neck.pan_lateral2.bias', 'neck.laterals.2.bias'),
    ('neck.top_down_blocks.1.blocks.0.conv2.bn1._mean', 'neck.top_down.1.blocks.0.dw.bn.running_mean'),
    ('neck.bottom_up_blocks.0.blocks.0.conv1.conv.weight', 'neck.bottom_up.0.blocks.0.reduce.conv.weight'),
    ('neck.bottom_up_blocks.1.short_conv.bn.weight', 'neck.bottom_up.1.short.bn.weight'),
    ('neck.bottom_up_blocks.1.0.pw_conv.bn.bias', 'neck.bottom_up.1.0.pw.bn.bias'),
    ('neck.second_top_conv.pwconv.weight', 'neck.second_top.pw.conv.weight'),
    ('neck.downsamples.0.bn2._mean', 'neck.downsamples.0.pw.bn.running_mean'),
    ('head.conv_feat.cls_conv_pw2.1.norm._mean', 'bbox_head.towers.2.1.pw.bn.running_mean'),
    ('head.conv_feat.cls_conv_dw0.1.conv.weight', 'bbox_head.towers.0.1.dw.conv.weight'),
    ('head.cls_align.3.bn1.weight', 'bbox_head.cls_align.3.dw.bn.weight'),
    ('head.conv_feat.se.2.conv.norm.bias', 'bbox_head.se.2.conv.bn.bias'),
    ('head.head_reg3.weight', 'bbox_head.reg_predictors.3.weight'),
    ('backbone.conv16.mid_se.conv2.weight', 'backbone.blocks.14.se.expand.weight'),
    ('conv2.bottleneck_conv.bn._mean', 'backbone.blocks.0.dw.bn.running_mean'),
    ('blocks.3.mid_se.conv1.bias', 'backbone.blocks.3.se.reduce.bias'),
    ('blocks.14.linear_conv.conv.weight', 'backbone.blocks.14.project.conv.weight'),
    ('conv.bn.weight', 'backbone.stem.bn.weight'),
    ('last_conv.weight', 'head.expand.weight'),
    ('stem.0.conv.weight', 'backbone.stem.0.conv.weight'),
    ('stem.1.pw_conv.bn._mean', 'backbone.stem.1.pw.bn.running_mean'),
    ('backbone.stages.2.3.dw_conv_list.1.bn.weight', 'backbone.stages.2.3.dw.branches.1.bn.weight'),
    ('stages.2.0.pw_conv_2.conv.weight', 'backbone.stages.2.0.pw.1.conv.weight'),
    ('stages.2.0.se.conv2.bias', 'backbone.stages.2.0.se.expand.bias'),
    ('head.some_new_layer.weight', None),
    ('backbone.conv1.conv.weight_decay', None),
])
def test_names(paddle, ours):
    assert rename(paddle) == ours


@pytest.mark.parametrize('file', ['bb_mobilenetv3_large_x0_35_det'])
def test_mobilenet_v3(file):
    named = read_paddle(FIXTURES / f'{file}.npz')
    model = paddle_shaped.mobilenet_v3_large_0_35()
    model.load_state_dict(convert(named, model), strict=True)
    newer = {('conv' + name[5:] if name.startswith('conv1.') else f'blocks.{int(name[4:name.index(".")]) - 2}'
              + name[name.index('.'):]): value for name, value in named.items()}
    again = convert(newer, model)
    assert all(torch.equal(value, again[name]) for name, value in model.state_dict().items())


def test_mobilenet_v3_of_paddleseg_2021_has_the_same_names():
    names = read_paddle(FIXTURES / 'bb_mobilenetv3_large_paperseg.npz')
    own = paddle_shaped.mobilenet_v3_large_0_35().state_dict()
    assert {rename(name).removeprefix('backbone.') for name in names} == {
        name for name in own if not name.endswith('num_batches_tracked')}


def test_classifier(classification):
    model = paddle_shaped.classifier()
    state, report = convert_with_report(classification, model)
    model.load_state_dict(state, strict=True)
    weight = classification['fc.weight'].astype(np.float32)
    np.testing.assert_allclose(state['head.fc.weight'], weight.T * .8, rtol=1e-6)
    np.testing.assert_array_equal(state['head.fc.bias'], classification['fc.bias'])
    assert '0.8' in str(report)
    assert convert(classification, model, dropout=0)['head.fc.weight'][2, 7] == classification['fc.weight'][7, 2]
    with pytest.raises(ValueError, match='probability'):
        convert(classification, model, dropout=1.0)


def test_folded_dropout_equals_the_reference(classification):
    fixture = np.load(FIXTURES / 'cls_pplcnet_x0_25.npz')
    model = paddle_shaped.classifier()
    model.load_state_dict(convert(classification, model))
    logits = model.head.fc(torch.from_numpy(fixture['expanded']).flatten(1).float())
    np.testing.assert_allclose(logits.detach(), fixture['logits'], atol=1e-4)


def test_backbone_takes_its_part_of_any_file(classification):
    model = paddle_shaped.pplcnet_0_25()
    state, report = convert_with_report(classification, model)
    assert report.complete
    assert report.dropped == dict.fromkeys(('last_conv.weight', 'fc.weight', 'fc.bias'), 'not part of this model')
    assert state['stem.conv.weight'].shape == (8, 3, 3, 3)
    assert 'stages.4.1.pw.bn.num_batches_tracked' in state
    detector = read_paddle(FIXTURES / 'det_v2_pplcnet_x0_25.npz')
    state = convert(detector, model)
    np.testing.assert_array_equal(state['stem.conv.weight'], detector['backbone.conv1.conv.weight'])


def test_entries_without_use_are_dropped_with_a_reason(classification):
    named = {**classification, 'StructuredToParameterName@@': {'fc.bias': 'linear_0.b_0'}}
    _, report = convert_with_report(named, paddle_shaped.classifier())
    assert report.complete and 'index of names' in report.dropped['StructuredToParameterName@@']
    v2 = read_paddle(FIXTURES / 'det_v2_pplcnet_x0_25.npz')
    twins = {name.replace('head_cls', 'head_cls_list.').replace('head_reg', 'head_reg_list.'): value
             for name, value in v2.items() if name.startswith(('head.head_cls', 'head.head_reg'))}
    state, report = convert_with_report({**twins, **v2}, paddle_shaped.detector('v2'))
    assert report.complete and twins.keys() <= report.dropped.keys()
    alone = {name: value for name, value in v2.items() if 'head.head_' not in name} | twins
    only = convert(alone, paddle_shaped.detector('v2'))
    assert all(torch.equal(only[name], value) for name, value in state.items())


def test_what_does_not_fit_is_named(classification):
    named = dict(classification)
    del named['blocks3.0.dw_conv.bn._mean']
    named['blocks7.0.dw_conv.conv.weight'] = np.ones((1, 1, 3, 3), np.float32)
    with pytest.raises(ConversionError) as caught:
        convert(named, paddle_shaped.classifier(classes=7))
    error = caught.value
    assert isinstance(error, UserError) and isinstance(error, ValueError)
    assert error.missing == ['backbone.stages.1.0.dw.bn.running_mean']
    assert error.unexpected == ['blocks7.0.dw_conv.conv.weight']
    assert [(item.file, item.model) for item in error.misshapen] == [((10, 1280), (7, 1280)), ((10,), (7,))]
    assert 'head.fc.weight is 10x1280 in the file and 7x1280 in the model' in str(error)
    assert error.missing[0] in str(error) and '\n' not in str(error)


def test_a_file_of_another_network_is_refused(classification):
    with pytest.raises(ConversionError) as caught:
        convert(classification, paddle_shaped.detector('paper'))
    assert sorted(caught.value.unexpected) == ['fc.bias', 'fc.weight', 'last_conv.weight']
    assert 'neck.laterals.0.weight' in caught.value.missing


def test_numbers_that_are_no_weights_are_refused(classification):
    named = {**classification, 'fc.bias': np.arange(10)}
    with pytest.raises(ConversionError, match=r'fc\.bias .*int64'):
        convert(named, paddle_shaped.classifier())


def test_every_tensor_of_pplcnetv2_finds_its_place():
    """Under PaddleClas' names, with the folded kernels that it holds and does not use."""
    model = PPLCNetV2('small')
    swaps = ((r'dw\.branches', 'dw_conv_list'), (r'\.dw\.(conv|bn)', r'.dw_conv.\1'), (r'\.pw\.0\.', '.pw_conv_1.'),
             (r'\.pw\.1\.', '.pw_conv_2.'), (r'\.pw\.', '.pw_conv.'), ('se.reduce', 'se.conv1'),
             ('se.expand', 'se.conv2'), ('running_mean', '_mean'), ('running_var', '_variance'))
    named = {}
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            for pattern, replacement in swaps:
                name = re.sub(pattern, replacement, name)
            named[name] = torch.randn_like(value).numpy()
    named['stages.2.0.dw_conv.weight'] = named['stages.3.1.dw_conv.bias'] = np.ones(1, np.float32)
    state, report = convert_with_report(named, model)
    assert report.complete and len(report.dropped) == 2 and len(report.mapped) == len(named) - 2
    np.testing.assert_array_equal(state['stages.3.1.dw.branches.2.conv.weight'],
                                  named['stages.3.1.dw_conv_list.2.conv.weight'])
    np.testing.assert_array_equal(state['stages.2.3.pw.1.conv.weight'], named['stages.2.3.pw_conv_2.conv.weight'])
