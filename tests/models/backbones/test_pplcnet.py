"""PP-LCNet against the paper's tables and PaddleClas' numbers; what all backbones share is in tests/contracts."""
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpretrain.models.classifiers import ImageClassifier
from torch import nn

from lcvision.complexity import count_complexity
from lcvision.models import MobileNetV1, PPLCNet, PPLCNetHead
from lcvision.weights.from_paddle import convert
from tests.fixture import Fixture, assert_close

# Table 2 of the paper: scale, widths of the stages, parameters, multiply-adds, millions of operations in Paddle's
# convention, and parameters and millions of multiply-adds of the backbone alone. Tables 6 to 9: docs/ablations.md.
TABLE_2 = [
    (0.25, (8, 16, 32, 64, 128), 1_521_184, 16_773_440, 18.25, 76_344, 15.33),
    (0.35, (16, 24, 48, 88, 176), 1_643_090, 27_357_832, 29.46, 136_810, 25.85),
    (0.5, (16, 32, 64, 128, 256), 1_879_576, 44_731_008, 47.28, 270_896, 43.12),
    (0.75, (24, 48, 96, 192, 384), 2_357_008, 94_786_496, 98.82, 584_488, 93.01),
    (1.0, (32, 64, 128, 256, 512), 2_952_520, 155_700_480, 160.81, 1_016_160, 153.77),
    (1.5, (48, 96, 192, 384, 768), 4_499_832, 334_188_416, 341.85, 2_235_792, 331.93),
    (2.0, (64, 128, 256, 512, 1024), 6_521_512, 580_194_816, 590.41, 3_929_792, 577.60),
    (2.5, (80, 160, 320, 640, 1280), 9_017_560, 893_719_680, 906.49, 6_098_160, 890.80),
]
NONE, ALL = '0' * 13, '1' * 13
RELU = dict(type='ReLU')


def classifier(backbone):
    return nn.Sequential(backbone, PPLCNetHead(1000, backbone.out_channels[-1]))


@pytest.mark.parametrize('scale, widths, params, macs, flops, own_params, own_macs', TABLE_2, ids=lambda v: str(v)[:4])
def test_counts_equal_table_2(scale, widths, params, macs, flops, own_params, own_macs):
    with torch.device('meta'):
        image, backbone = torch.empty(1, 3, 224, 224), PPLCNet(scale)
        network = classifier(backbone)
    assert backbone.out_channels == widths[1:] and backbone.stages[0][-1].pw.out_channels == widths[0]
    whole, own = count_complexity(network, image), count_complexity(backbone, image)
    assert (whole.params, whole.macs) == (params, macs)
    assert round(whole.paddle_flops / 1e6, 2) == flops
    assert (own.params, round(own.macs / 1e6, 2)) == (own_params, own_macs)


@pytest.mark.parametrize('mask', ['0000000000011', '1100000000000', '0101010101010', NONE, ALL])
def test_masks_choose_the_blocks_in_order(mask):
    blocks = [block for stage in PPLCNet(0.25, se_mask=mask, kernel_mask=mask[::-1]).stages for block in stage]
    assert len(blocks) == 13
    assert ''.join(str(int(not isinstance(block.se, nn.Identity))) for block in blocks) == mask
    assert ''.join({3: '0', 5: '1'}[block.dw.kernel_size[0]] for block in blocks) == mask[::-1]
    assert [block.dw.stride[0] for block in blocks] == [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]


@pytest.fixture(scope='module')
def fixture():
    return Fixture('cls_pplcnet_x0_25')


@pytest.fixture(scope='module')
def reference_model(fixture):
    init_default_scope('mmpretrain')
    model = ImageClassifier(dict(type='lcvision.PPLCNet', scale=0.25),
                            head=dict(type='lcvision.PPLCNetHead', num_classes=10, in_channels=128))
    model.load_state_dict(convert(fixture.params, model))
    return model.eval()


@torch.no_grad()
def test_every_stage_equals_reference(reference_model, fixture):
    backbone = reference_model.backbone
    x = backbone.stem(fixture['input'])
    assert_close(x[:, :, ::4, ::4], fixture['feat/conv1__sub4'])
    x = backbone.stages[0](x)
    assert_close(x[:, :, ::4, ::4], fixture['feat/blocks2__sub4'])
    maps = backbone(fixture['input'])
    assert len(maps) == 4
    for index, feat in enumerate(maps):
        assert_close(feat, fixture[f'feat/blocks{index + 3}'])


@torch.no_grad()
def test_classifier_equals_reference(reference_model, fixture):
    head = reference_model.head
    feats = reference_model.extract_feat(fixture['input'])
    assert_close(feats[-1].mean((2, 3), keepdim=True), fixture['pooled'])
    assert_close(head.pre_logits(feats), fixture['expanded'].flatten(1))
    assert_close(head(feats), fixture['logits'])
    assert_close(reference_model(fixture['input'], mode='tensor'), fixture['logits'])


def test_initialisation_equals_reference():
    """PaddleClas: normal of std sqrt(2 / fan-in) for every convolution, the stem and the squeeze-excite included."""
    model = PPLCNet(2.5)
    model.init_weights()
    checked = 0
    for name, module in model.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        expected = (2 / module.weight[0].numel()) ** 0.5
        # Six standard errors of a standard deviation.
        tolerance = 6 / (2 * module.weight.numel()) ** 0.5
        assert module.weight.std().item() == pytest.approx(expected, rel=tolerance), name
        checked += 1
    assert checked == 1 + 2 * 13 + 2 * 2
    assert model.stem.conv.weight.std().item() == pytest.approx((2 / 27) ** 0.5, rel=0.13)


def test_activation_changes_everywhere_but_in_the_gate():
    model = PPLCNet(0.25, act_cfg=RELU)
    assert not any(isinstance(m, nn.Hardswish) for m in model.modules())
    assert sum(isinstance(m, nn.Hardsigmoid) for m in model.modules()) == 2
    assert sum(isinstance(m, nn.Hardswish) for m in PPLCNet(0.25).modules()) == 1 + 2 * 13


def test_any_width_builds():
    for scale in (0.01, 0.6, 1, 3.3):
        model = PPLCNet(scale, out_indices=(3,)).eval()
        assert all(channels % 8 == 0 for channels in model.out_channels)
        with torch.no_grad():
            assert model(torch.zeros(1, 3, 32, 32))[0].shape == (1, *model.out_channels, 1, 1)


@pytest.mark.parametrize('scale', [0, -1.0, float('nan'), float('inf'), 'half'])
def test_wrong_scale_is_explained(scale):
    with pytest.raises(ValueError, match=r'PPLCNet: scale=.*above 0.*0\.5') as error:
        PPLCNet(scale)
    assert str(scale) in str(error.value)


@pytest.mark.parametrize('name', ['se_mask', 'kernel_mask'])
@pytest.mark.parametrize('mask', ['', '0' * 12, '1' * 14, '000000000001x', [0] * 13, None], ids=str)
def test_wrong_mask_is_explained(name, mask):
    with pytest.raises(ValueError) as error:
        PPLCNet(0.25, **{name: mask})
    assert f'{name}={mask!r}' in str(error.value)
    assert "13 characters of '0' and '1'" in str(error.value)


@torch.no_grad()
def test_dilated_maps_hold_the_plain_ones():
    """Without squeeze-excite, whose mean sees more places, a dilated map sampled at the stride is the plain map."""
    plain = PPLCNet(scale=0.25, se_mask='0' * 13).eval()
    plain.init_weights()
    x = torch.randn(1, 3, 97, 130)
    for output_stride in (8, 16):
        dense = PPLCNet(scale=0.25, se_mask='0' * 13, output_stride=output_stride).eval()
        dense.load_state_dict(plain.state_dict())
        for fine, coarse, stride in zip(dense(x), plain(x), (4, 8, 16, 32), strict=True):
            step = max(1, stride // output_stride)
            torch.testing.assert_close(fine[..., ::step, ::step], coarse, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('strides, expected', [((2, 2, 2, 2, 2), (4, 8, 16, 32)), ((1, 1, 2, 2, 2), (1, 2, 4, 8)),
                                               ([1, 2, 1, 1, 2], (2, 2, 2, 4))], ids=str)
@torch.no_grad()
def test_strides_are_arguments(strides, expected):
    """A stride changes where a kernel stands and no weight: two networks share theirs."""
    model, usual = PPLCNet(0.25, strides=strides).eval(), PPLCNet(0.25).eval()
    assert model.out_strides == expected and model.out_channels == usual.out_channels
    sizes = [tuple(m.shape[2:]) for m in model(torch.randn(1, 3, 33, 40))]
    assert sizes == [(-(-33 // s), -(-40 // s)) for s in expected]
    usual.load_state_dict(model.state_dict())
    assert PPLCNet(0.25).out_strides == (4, 8, 16, 32), 'strides stick to the class, as in the reference'


@torch.no_grad()
def test_strides_of_small_images_combine_with_an_output_stride():
    plain = PPLCNet(0.25, strides=(1, 2, 2, 2, 2), se_mask='0' * 13).eval()
    dense = PPLCNet(0.25, strides=(1, 2, 2, 2, 2), se_mask='0' * 13, output_stride=8).eval()
    plain.init_weights()
    dense.load_state_dict(plain.state_dict())
    x = torch.randn(1, 3, 40, 48)
    assert plain.out_strides == (2, 4, 8, 16) and dense.out_strides == (2, 4, 8, 8)
    assert dense(x)[3].shape[2:] == (5, 6)
    torch.testing.assert_close(dense(x)[3][..., ::2, ::2], plain(x)[3], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('strides', [(2, 2, 2, 2), (2, 2, 2, 2, 2, 2), (1, 2, 3, 2, 2), (0, 1, 1, 1, 1), '22222', 2,
                                     None], ids=str)
def test_wrong_strides_are_explained(strides):
    with pytest.raises(ValueError, match='must be 5 numbers 1 or 2') as error:
        PPLCNet(0.25, strides=strides)
    assert f'strides={strides!r}' in str(error.value)


@pytest.mark.parametrize('number, mask', [(11, '0000000000011'), (0, '0' * 13), (1111111000000, '1111111000000')])
def test_a_mask_may_be_the_number_that_cfg_options_make_of_it(number, mask):
    for name in ('se_mask', 'kernel_mask'):
        assert str(PPLCNet(0.25, **{name: number})) == str(PPLCNet(0.25, **{name: mask}))
    for wrong in (True, -1, 12, 10**13):
        with pytest.raises(ValueError, match='13 characters'):
            PPLCNet(0.25, se_mask=wrong)


# Millions of parameters (running statistics included) and widths in PaddleClas.
@pytest.mark.parametrize('scale, millions', [(0.25, 0.48), (0.5, 1.34), (0.75, 2.60), (1, 4.25)])
def test_widths_and_parameters_of_mobilenetv1_are_paddleclas(scale, millions):
    with torch.device('meta'):
        backbone = MobileNetV1(scale)
    assert backbone.out_channels == tuple(int(width * scale) for width in (128, 256, 512, 1024))
    assert backbone.stem.out_channels == int(32 * scale)
    counts = count_complexity(nn.Sequential(backbone), torch.empty(1, 3, 32, 32, device='meta'))
    whole = counts.params + counts.buffers + (backbone.out_channels[-1] + 1) * 1000
    assert round(whole / 1e6, 2) == millions


def test_blocks_of_mobilenetv1_are_depthwise_separable_alone():
    modules = list(MobileNetV1(0.25).modules())
    kernels = [m.kernel_size[0] for m in modules if isinstance(m, nn.Conv2d)]
    assert kernels == [3] + 13 * [3, 1]
    assert sum(isinstance(m, nn.ReLU) for m in modules) == 27
    assert not any(isinstance(m, nn.Hardswish | nn.Hardsigmoid) or getattr(m, 'bias', None) is not None
                   for m in modules if isinstance(m, nn.Conv2d | nn.Hardswish | nn.Hardsigmoid))


@pytest.mark.parametrize('wrong', [0.35, 0, -0.25, float('inf'), float('nan'), 'large'])
def test_wrong_scale_of_mobilenetv1_is_explained(wrong):
    with pytest.raises(ValueError, match=f'MobileNetV1: scale={wrong} must be a multiple of 0.25'):
        MobileNetV1(wrong)
