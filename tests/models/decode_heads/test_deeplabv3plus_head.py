"""DeepLabV3+ against PaddleSeg's numbers, the head with any backbone, and ASPP by itself."""
import warnings

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from torch import nn
from torch.nn import functional as F

from lcvision.models import DeepLabV3PlusHead
from lcvision.models.decode_heads.deeplabv3plus_head import ASPP
from lcvision.weights.from_paddle import convert
from tests.fixture import Fixture, assert_close

CFG = dict(norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))
RATIOS = {'r1_6_12_18': (1, 6, 12, 18), 'r1_3_6_9': (1, 3, 6, 9)}


def samples(labels):
    """Data samples of labels (N, H, W)."""
    shapes = dict.fromkeys(('img_shape', 'ori_shape'), tuple(labels.shape[1:]))
    return [SegDataSample(gt_sem_seg=PixelData(data=label[None].long()), metainfo=shapes) for label in labels]


@pytest.fixture(scope='module')
def fixture():
    return Fixture('seg_deeplabv3p_pplcnet_x0_25')


@pytest.fixture(scope='module', params=RATIOS)
def case(request):
    return request.param


@pytest.fixture(scope='module')
def model(fixture, case):
    init_default_scope('mmseg')
    head = dict(type='lcvision.DeepLabV3PlusHead', in_channels=(16, 128), num_classes=5, aspp_channels=32,
                aspp_ratios=RATIOS[case])
    model = EncoderDecoder(dict(type='lcvision.PPLCNet', scale=0.25), head, test_cfg=ConfigDict(mode='whole'))
    model.load_state_dict(convert(fixture.params, model))
    return model.eval()


@torch.no_grad()
def test_every_map_equals_the_reference(model, fixture, case):
    feats = model.backbone(fixture['input'])
    for index, feat in enumerate(feats):
        assert_close(feat, fixture[f'feat/{index}'])
    head = model.decode_head
    assert_close(head.aspp(feats[3]), fixture[f'{case}/aspp'])
    assert_close(head.aspp(fixture['aspp_only/input'])[:, :, ::2, ::3], fixture[f'{case}/aspp_only'])
    assert_close(head(feats), fixture[f'{case}/logits_stride4'])
    assert_close(model(fixture['input'], mode='tensor'), fixture[f'{case}/logits_stride4'])


@torch.no_grad()
def test_prediction_equals_the_reference(model, fixture, case):
    (result,) = model.predict(fixture['input'], samples(fixture['label']))
    assert_close(result.seg_logits.data[None, :, ::3, ::3], fixture[f'{case}/logits__sub3'])
    # Where two logits are a rounding error apart either class may win.
    assert (result.pred_sem_seg.data != fixture[f'{case}/argmax_full']).sum() <= 3


def test_loss_equals_the_reference(model, fixture, case):
    label = fixture['label']
    assert (label == 255).any()
    losses = model.decode_head.loss(model.backbone(fixture['input']), samples(label), None)
    assert losses['loss_ce'].item() == pytest.approx(fixture[f'{case}/loss_ce'].item(), abs=1e-5)


def head(**kwargs):
    return DeepLabV3PlusHead((8, 16), 24, num_classes=4, aspp_channels=12, low_level_channels=6, **kwargs)


def test_ignored_pixels_do_not_count():
    logits = torch.randn(2, 4, 8, 12, requires_grad=True)
    label = torch.randint(4, (2, 32, 48))
    label[:, :, 20:] = 255
    loss = head().loss_by_feat(logits, samples(label))['loss_ce']
    loss.backward()
    full = F.interpolate(logits, (32, 48), mode='bilinear', align_corners=False)
    pixels = F.cross_entropy(full, label, ignore_index=255, reduction='none')
    assert loss.item() == pytest.approx(pixels.sum().item() / (label != 255).sum().item(), rel=1e-5)
    assert not logits.grad[..., 6:].any() and logits.grad[..., :5].all()


def test_nothing_but_ignored_pixels_gives_zero():
    loss = head().loss_by_feat(torch.randn(1, 4, 8, 8), samples(torch.full((1, 32, 32), 255)))['loss_ce']
    assert loss.item() == 0


@pytest.mark.parametrize('in_index, maps', [((0, -1), 2), ((0, -1), 4), ((0, 3), 4), ((1, 2), 3)], ids=str)
def test_any_backbone_plugs_in(in_index, maps):
    """Sizes that no stride divides, maps that lie anywhere, a gradient everywhere."""
    module = head(in_index=in_index, aspp_ratios=(1, 2, 3)).train()
    module.init_weights()
    feats = [torch.randn(2, 5, 7, 7) for _ in range(maps)]
    feats[in_index[0]], feats[in_index[1]] = (torch.randn(2, channels, *size, requires_grad=True) for channels, size in
                                              ((8, (17, 23)), (16, (3, 4))))
    logits = module(feats)
    assert logits.shape == (2, 4, 17, 23)
    module.loss_by_feat(logits, samples(torch.randint(4, (2, 66, 90))))['loss_ce'].backward()
    for name, parameter in module.named_parameters():
        # A norm takes away the bias before it.
        assert (parameter.grad.abs().max() > 0) or name.endswith('conv.bias'), name
    assert all(feats[i].grad.abs().max() > 0 for i in in_index)
    assert module.predict_by_feat(logits, [dict(img_shape=(66, 90))]).shape == (2, 4, 66, 90)


def test_initialisation_equals_reference():
    """Paddle's default: a normal of std sqrt(2 / (kernel * channels of the input)), groups or not."""
    module = DeepLabV3PlusHead((64, 512), num_classes=19)
    module.init_weights()
    convs = {name: m for name, m in module.named_modules() if isinstance(m, nn.Conv2d)}
    assert len(convs) == 1 + 3 * 2 + 2 + 1 + 2 * 2 + 1
    for name, conv in convs.items():
        expected = (2 / (conv.in_channels * conv.kernel_size[0] ** 2)) ** 0.5
        # Six standard errors of a standard deviation.
        tolerance = 6 / (2 * conv.weight.numel()) ** 0.5
        assert conv.weight.std().item() == pytest.approx(expected, rel=tolerance), name
        assert conv.bias is None or not conv.bias.any()


def test_own_initialisation_wins():
    module = head(init_cfg=dict(type='Constant', layer='Conv2d', val=0.5, bias=0.25))
    module.init_weights()
    for conv in (m for m in module.modules() if isinstance(m, nn.Conv2d)):
        assert (conv.weight == 0.5).all() and (conv.bias is None or (conv.bias == 0.25).all())


def test_a_second_call_changes_nothing():
    module = head()
    module.init_weights()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    module.init_weights()
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_building_warns_of_nothing():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        head()
        DeepLabV3PlusHead((8, 16), num_classes=2)
    assert [str(each.message) for each in caught] == []


@pytest.mark.parametrize('name, value', [
    ('in_channels', 16), ('in_channels', (8, 16, 32)), ('in_index', 3), ('in_index', (0, 1, 2)),
    ('aspp_ratios', ()), ('aspp_ratios', (1, 0)), ('aspp_ratios', (1, 2.5)),
], ids=str)
def test_wrong_arguments_are_explained(name, value):
    arguments = dict(in_channels=(8, 16), num_classes=4) | {name: value}
    with pytest.raises(ValueError, match='DeepLabV3PlusHead') as error:
        DeepLabV3PlusHead(**arguments)
    assert f'{name}={value}' in str(error.value) and 'e.g. (' in str(error.value)


@pytest.mark.parametrize('ratio', [1, 2, 5])
def test_a_branch_looks_as_far_as_its_dilation(ratio):
    branch = ASPP(3, 4, (ratio,), 0., **CFG).eval().branches[0]
    x = torch.randn(1, 3, 17, 17, requires_grad=True)
    branch(x)[0, :, 8, 8].sum().backward()
    rows = {int(row) for row in x.grad.abs().sum((0, 1, 3)).nonzero()}
    assert rows == {8} if ratio == 1 else rows == {8 - ratio, 8, 8 + ratio}


@torch.no_grad()
def test_only_the_branch_of_the_mean_has_no_bias_and_depthwise_no_activation():
    aspp = ASPP(8, 4, (1, 6, 12), 0., **CFG)
    convs = {name: module for name, module in aspp.named_modules() if isinstance(module, nn.Conv2d)}
    assert [name for name, conv in convs.items() if conv.bias is None] == ['image_pool.conv']
    x = torch.randn(2, 8, 9, 7)
    depthwise = aspp.branches[1].depthwise_conv
    assert depthwise.eval()(x).min() < 0 and aspp.branches[1].eval()(x).min() == 0


@pytest.mark.parametrize('size', [(1, 1), (5, 8)], ids=str)
@torch.no_grad()
def test_the_mean_comes_last_and_is_spread_as_interpolation_would(size):
    aspp = ASPP(8, 4, (1, 3), 0., **CFG).eval()
    x = torch.randn(2, 8, *size)
    mean = F.interpolate(aspp.image_pool(F.adaptive_avg_pool2d(x, 1)), size, mode='bilinear', align_corners=False)
    expected = aspp.project(torch.cat((aspp.branches[0](x), aspp.branches[1](x), mean), 1))
    torch.testing.assert_close(aspp(x), expected, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_elements_not_channels_are_dropped():
    aspp = ASPP(8, 16, (1, 2), 0.25, **CFG).eval()
    nn.init.constant_(aspp.project.bn.bias, 5.)
    x = torch.randn(2, 8, 24, 24)
    whole = aspp(x)
    aspp.dropout.train()
    dropped = aspp(x)
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], whole[kept] / 0.75)
    shares = kept.float().mean((2, 3))
    assert shares.min() > 0.6 and shares.max() < 0.9
