import paddle_shaped
import pytest
import torch

from lcvision.models import HGNetV2
from lcvision.weights.from_timm import convert_own, convert_with_report, is_timm, rename_hgnet

# timm's six stages; the fourth and the fifth together are PP-LCNet's fourth.
DEPTHS = (1, 2, 2, 2, 4, 2)


def timm_lcnet(model):
    """The tensors of a classifier under timm's names."""
    own, named = model.state_dict(), {}
    blocks = [f'blocks.{stage}.{index}' for stage, depth in enumerate(DEPTHS) for index in range(depth)]
    ours = [f'backbone.stages.{stage}.{index}' for stage, depth in enumerate((1, 2, 2, 6, 2)) for index in range(depth)]
    layers = {'dw.conv': 'conv_dw', 'dw.bn': 'bn1', 'se.reduce': 'se.conv_reduce', 'se.expand': 'se.conv_expand',
              'pw.conv': 'conv_pw', 'pw.bn': 'bn2'}
    pairs = {f'{a}.{layer}.': f'{b}.{theirs}.' for a, b in zip(ours, blocks, strict=True)
             for layer, theirs in layers.items()}
    pairs.update({'backbone.stem.conv.': 'conv_stem.', 'backbone.stem.bn.': 'bn1.', 'head.expand.': 'conv_head.',
                  'head.fc.': 'classifier.'})
    for name, value in own.items():
        prefix = next(prefix for prefix in pairs if name.startswith(prefix))
        value = torch.randn_like(value) if value.is_floating_point() else value
        named[pairs[prefix] + name.removeprefix(prefix)] = value
    return named


def test_every_tensor_finds_its_place():
    model = paddle_shaped.classifier()
    named = timm_lcnet(model)
    assert is_timm(named) and not is_timm(model.state_dict())
    state, report = convert_with_report(named, model)
    assert report.complete
    model.load_state_dict(state, strict=True)
    assert torch.equal(state['backbone.stages.3.2.dw.conv.weight'], named['blocks.4.0.conv_dw.weight'])
    assert torch.equal(state['backbone.stages.4.0.se.reduce.bias'], named['blocks.5.0.se.conv_reduce.bias'])
    assert torch.equal(state['head.fc.weight'], named['classifier.weight'])


def test_bias_of_the_head_convolution():
    model = paddle_shaped.classifier()
    named = timm_lcnet(model)
    _, report = convert_with_report({**named, 'conv_head.bias': torch.zeros(1280)}, model)
    assert report.complete and 'zeros' in report.dropped['conv_head.bias']
    for empty in torch.zeros(0), torch.zeros(1280, dtype=torch.bool):
        assert 'conv_head.bias' in convert_with_report({**named, 'conv_head.bias': empty}, model)[1].dropped
    _, report = convert_with_report({**named, 'conv_head.bias': torch.ones(1280)}, model)
    assert len(report.unexpected) == 1 and 'convert the backbone alone' in report.unexpected[0]
    state, _ = convert_with_report({**named, 'conv_head.bias': torch.ones(1280)}, paddle_shaped.classifier(bias=True))
    assert state['head.expand.bias'].sum() == 1280
    _, report = convert_with_report({**named, 'conv_head.bias': torch.ones(1280)}, paddle_shaped.pplcnet_0_25())
    assert report.complete and len(report.dropped) == 4


def test_what_does_not_fit_is_named():
    model = paddle_shaped.classifier(classes=7)
    named = timm_lcnet(paddle_shaped.classifier(classes=10))
    named['blocks.6.0.conv_dw.weight'] = torch.ones(1)
    named['blocks.0.0.aa.weight'] = torch.ones(1)
    named[f'blocks.{"1" * 5000}.0.conv_dw.weight'] = torch.ones(1)
    del named['bn1.running_var']
    _, report = convert_with_report(named, model)
    assert report.missing == ['backbone.stem.bn.running_var']
    assert report.unexpected[:2] == ['blocks.6.0.conv_dw.weight', 'blocks.0.0.aa.weight']
    assert len(report.unexpected) == 3
    assert len(report.misshapen) == 2


def test_own_names():
    model = paddle_shaped.classifier()
    named = {name: value + 1 for name, value in model.state_dict().items()}
    state, report = convert_own(named, model)
    assert report.complete and all(torch.equal(state[name], named[name]) for name in named)
    state, report = convert_own(named, model.backbone)
    assert report.complete and set(report.dropped) == {'head.expand.weight', 'head.fc.weight', 'head.fc.bias'}
    assert torch.equal(state['stem.conv.weight'], named['backbone.stem.conv.weight'])


def timm_hgnet():
    """Names of timm's ``hgnetv2_b0`` without its classifier, counters of batches left out, in its order."""
    convs = [f'stem.stem{index}' for index in ('1', '2a', '2b', '3', '4')]
    for stage, (blocks, light) in enumerate(((1, False), (1, False), (2, True), (1, True))):
        convs += [f'stages.{stage}.downsample'] * (stage > 0)
        for block in (f'stages.{stage}.blocks.{index}' for index in range(blocks)):
            convs += [f'{block}.layers.{layer}{part}' for layer in range(3)
                      for part in (('.conv1', '.conv2') if light else ('',))]
            convs += [f'{block}.aggregation.{index}' for index in range(2)]
    for conv in convs:
        yield f'{conv}.conv.weight'
        yield from (f'{conv}.bn.{leaf}' for leaf in ('weight', 'bias', 'running_mean', 'running_var'))
        if not conv.endswith(('downsample', 'conv1')):
            yield from (f'{conv}.lab.{leaf}' for leaf in ('scale', 'bias'))


def test_hgnet_has_the_order_of_timm():
    """Both name their layers in the order in which they run, so that the order gives every tensor its name there."""
    model = HGNetV2('b0')
    own = {name: torch.randn_like(value) for name, value in model.state_dict().items() if value.is_floating_point()}
    named = dict(zip(timm_hgnet(), own.values(), strict=True))
    assert is_timm(named)
    state, report = convert_with_report(named, model)
    assert report.complete and len(report.mapped) == len(own)
    assert all(torch.equal(state[name], value) for name, value in own.items())


@pytest.mark.parametrize('theirs, ours', [
    ('head.last_conv.0.weight', 'head.expand.weight'), ('head.last_conv.2.scale', 'head.act.weight'),
    ('head.fc.bias', 'head.fc.bias'), ('stem.stem2b.lab.bias', 'backbone.stages.0.second.activate.bias'),
    ('stages.2.blocks.1.layers.0.conv2.lab.scale', 'backbone.stages.3.2.layers.0.1.activate.weight'),
    ('stages.0.blocks.0.aggregation.1.bn.weight', 'backbone.stages.1.0.excite.bn.weight'),
    ('stages.4.other.conv.weight', None), ('head.last_conv.1.weight', None)])
def test_names_of_hgnet(theirs, ours):
    assert rename_hgnet(theirs) == ours
