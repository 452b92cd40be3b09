"""EfficientNet-eLite and -HF against the paper's table 5 and the reference's numbers; the contract is elsewhere."""
import math

import pytest
import torch
import torchvision
from mmcv.cnn.bricks.drop import DropPath
from torch import nn

from lcvision.complexity import count_complexity
from lcvision.models import ConvGapHead, EfficientNetELite
from lcvision.models.layers.blocks import DropConnect, SameConv2d
from tests.fixture import Fixture, assert_close

# Member, side of its images, widths of stem, stages and head, blocks of the stages, parameters, multiply-adds, and the
# backbone's own parameters. What the paper prints of them is compared in tests/docs.
W1, W2 = (32, 16, 24, 40, 80, 112, 192, 320, 1280), (32, 16, 24, 32, 72, 96, 168, 280, 1112)
W3, W4 = (24, 16, 16, 32, 56, 80, 136, 224, 896), (16, 8, 16, 24, 40, 56, 96, 168, 656)
H1, H2 = (32, 16, 16, 32, 64, 128, 128, 256, 1024), (32, 16, 16, 32, 64, 64, 128, 256, 1024)
D1, D2, D3, D4 = (1, 2, 2, 3, 3, 4, 1), (1, 2, 2, 3, 3, 3, 1), (1, 2, 2, 2, 2, 3, 1), (1, 1, 1, 2, 2, 2, 1)
TABLE_5 = [
    ('elite0', 224, W1, D1, 5_288_548, 385_814_752, 3_595_388),
    ('elite1', 224, W1, D2, 4_700_596, 362_616_928, 3_007_436),
    ('elite2', 224, W1, D3, 4_389_124, 313_864_288, 2_695_964),
    ('elite3', 224, W2, D2, 3_743_916, 296_880_848, 2_317_332),
    ('elite4', 203, W2, D3, 3_504_210, 231_882_336, 2_077_626),
    ('elite5', 224, W3, D2, 2_657_358, 206_717_904, 1_557_862),
    ('elite6', 224, W3, D3, 2_494_908, 181_315_920, 1_395_412),
    ('elite7', 203, W3, D4, 2_166_270, 127_993_344, 1_066_774),
    ('elite8', 224, W4, D2, 1_585_250, 114_524_112, 816_730),
    ('elite9', 224, W4, D4, 1_326_584, 74_561_616, 558_064),
    ('hf0', 256, H1, D1, 3_770_652, 383_486_976, 2_481_460),
    ('hf1', 256, H2, D2, 3_135_564, 296_369_152, 1_846_372),
    ('hf2', 256, H1, D4, 2_749_376, 246_855_680, 1_460_184),
    ('hf3', 128, H1, D2, 3_411_964, 92_285_952, 2_122_772),
    ('hf4', 128, H2, D3, 2_948_908, 65_551_360, 1_659_716),
    ('hf5', 128, H1, D4, 2_749_376, 62_658_560, 1_460_184),
]
NORM = dict(type='BN', eps=1e-3, momentum=0.01)


def classifier(num_classes, **kwargs):
    backbone = EfficientNetELite(**kwargs)
    head = ConvGapHead(num_classes, backbone.out_channels[-1], backbone.head_channels, norm_cfg=NORM,
                       act_cfg=dict(type='SiLU'))
    return nn.Sequential(backbone, head).eval()


@pytest.mark.parametrize('arch, side, widths, blocks, params, macs, own_params', TABLE_5,
                         ids=lambda value: value if isinstance(value, str) else '')
def test_counts_equal_table_5(arch, side, widths, blocks, params, macs, own_params):
    with torch.device('meta'):
        model, image = classifier(1000, arch=arch), torch.empty(1, 3, side, side)
    backbone = model[0]
    assert tuple(len(stage) for stage in backbone.stages) == blocks
    assert (backbone.stem.out_channels, *(stage[-1].project.out_channels for stage in backbone.stages),
            backbone.head_channels) == widths
    assert backbone.out_channels == tuple(widths[i] for i in (2, 3, 5, 7))
    counts = count_complexity(model, image)
    assert (counts.params, counts.macs) == (params, macs)
    assert sum(p.numel() for p in backbone.parameters()) == own_params


def load(model, fixture):
    """Both networks hold the same tensors in the same order, but for the classifier, which is the reference's last."""
    weights = [fixture[key] for key in fixture.keys('w/')]
    names = sorted((name for name in model.state_dict() if 'num_batches' not in name), key=lambda name: '.fc.' in name)
    model.load_state_dict(dict(zip(names, weights, strict=True)), strict=False)
    return model


def drop_first_shortcuts(backbone):
    """The reference has no shortcut in a stage's first block, also where it would fit."""
    for stage in backbone.stages:
        stage[0].shortcut = False


def trace(model, x):
    """Outputs of the stem's norm, of every stage and of the head's norm, and the logits."""
    found = {}
    backbone, head = model
    taps = {'stem_bn': backbone.stem.bn, 'head_bn': head.conv.bn,
            **{f'stage{index + 1}': stage for index, stage in enumerate(backbone.stages)}}
    # A copy, because the activation behind a norm writes over its output.
    handles = [module.register_forward_hook(lambda m, i, out, name=name: found.update({name: out.clone()}))
               for name, module in taps.items()]
    logits = model(x)
    for handle in handles:
        handle.remove()
    return found, logits


TINY = {'elite_tiny': dict(width=0.25, depth=0.5), 'hf_tiny': dict(width=0.514, depth=0.5, hardware_friendly=True)}


@pytest.mark.parametrize('name, suffix', [('elite_tiny', ''), ('elite_tiny', '2'), ('hf_tiny', '')])
@torch.no_grad()
def test_every_stage_equals_reference(name, suffix):
    fixture = Fixture(name)
    model = load(classifier(10, **TINY[name]), fixture)
    drop_first_shortcuts(model[0])
    found, logits = trace(model, fixture[f'x{suffix}'])
    keys = fixture.keys(f'f{suffix}/')
    assert len(keys) == 9
    for key in keys:
        stage, _, step = key.partition('/')[2].partition('__sub')
        step = int(step or 1)
        assert_close(found[stage][:, :, ::step, ::step], fixture[key], 2e-5)
    assert_close(logits, fixture[f'y{suffix}'], 2e-5)


@pytest.mark.parametrize('suffix', ['', '2'])
@torch.no_grad()
def test_first_blocks_have_the_shortcut_of_tensorflow(suffix):
    fixture = Fixture('elite_tiny')
    model = load(classifier(10, **TINY['elite_tiny']), fixture)
    found, logits = trace(model, fixture[f'x{suffix}'])
    assert_close(logits, fixture[f'y{suffix}_int_stride'], 2e-5)
    if not suffix:
        assert_close(found['stage1'][:, :, ::2, ::2], fixture['f_int_stride/stage1__sub2'], 2e-5)
    assert (logits - fixture[f'y{suffix}']).abs().max() > 0.01


@torch.no_grad()
def test_elite0_with_symmetric_padding_is_torchvisions_b0():
    """An independent network at full size; its published weights fit with this padding and norm."""
    reference = torchvision.models.efficientnet_b0().eval()
    for norm in (m for m in reference.modules() if isinstance(m, nn.BatchNorm2d)):
        for tensor in (norm.weight, norm.running_var):
            nn.init.uniform_(tensor, 0.5, 1.5)
        nn.init.normal_(norm.bias, std=0.3)
    norm_cfg = dict(type='BN')
    backbone = EfficientNetELite('elite0', padding='symmetric', norm_cfg=norm_cfg)
    head = ConvGapHead(1000, 320, 1280, norm_cfg=norm_cfg, act_cfg=dict(type='SiLU'))
    for ours, theirs in ((backbone, reference.features[:-1]), (head.conv, reference.features[-1])):
        ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    head.fc.load_state_dict(reference.classifier[1].state_dict())
    x = torch.randn(2, 3, 75, 96)
    assert_close(nn.Sequential(backbone, head).eval()(x), reference(x), 1e-5)


@pytest.mark.parametrize('arch, blocks', [('hf1', [(5, 0)]), ('hf4', [(5, 0)]), ('elite9', []), ('elite0', []),
                                          ('hf0', [])])
def test_members_whose_first_blocks_have_a_shortcut(arch, blocks):
    """Where the rule matters: stage 6 of the paper, the fifth here, in two hardware-friendly members."""
    stages = EfficientNetELite(arch).stages
    assert [(index + 1, 0) for index, stage in enumerate(stages) if stage[0].shortcut] == blocks


def maps(x, **kwargs):
    return load(classifier(10, **TINY['elite_tiny'], **kwargs), Fixture('elite_tiny'))[0](x)


@torch.no_grad()
def test_paddings_agree_where_they_should():
    x, y = torch.randn(1, 3, 64, 96), torch.randn(1, 3, 75, 53)
    for a, b, c in zip(maps(x), maps(x, padding='static', image_size=224), maps(x, padding='symmetric'), strict=True):
        assert torch.equal(a, b) and a.shape == c.shape and not torch.allclose(a, c, rtol=0.01)
    for a, b, c in zip(maps(y), maps(y, padding='static', image_size=203), maps(y, padding='symmetric'), strict=True):
        torch.testing.assert_close(b, c)
        assert a.shape == c.shape and not torch.allclose(a, c, rtol=0.01)


@torch.no_grad()
def test_static_padding_of_203_pads_even_maps_on_both_sides():
    """Of the 102 places behind the stem, the reference's 203-pixel networks see one of padding before and after."""
    conv = SameConv2d(4, 4, 3, 2, groups=4, image_size=203)
    x = torch.randn(1, 4, 102, 102)
    torch.testing.assert_close(conv(x), nn.functional.conv2d(x, conv.weight, conv.bias, 2, 1, groups=4))


@torch.no_grad()
def test_static_padding_of_an_even_size_loses_the_odd_rest():
    shapes = [m.shape[-2:] for m in maps(torch.randn(1, 3, 70, 64), padding='static', image_size=224)]
    assert shapes == [(17, 16), (8, 8), (4, 4), (2, 2)]


@pytest.mark.parametrize('style, kind', [('standard', DropPath), ('upstream', DropConnect)])
def test_drop_connect_grows_with_depth(style, kind):
    model = EfficientNetELite('elite9', drop_connect=0.2, drop_style=style)
    blocks = [block for stage in model.stages for block in stage]
    for index, block in enumerate(blocks):
        if block.shortcut:
            assert type(block.drop) is kind
            assert block.drop.drop_prob == pytest.approx(0.2 * index / 10)
        else:
            assert isinstance(block.drop, nn.Identity)
    assert sum(block.shortcut for block in blocks) == 3
    assert all(isinstance(b.drop, nn.Identity) for stage in EfficientNetELite('elite9').stages for b in stage)


def test_initialisation_equals_reference():
    """Normal with variance 2 / (outputs x kernel), also where a convolution has groups; norms as TensorFlow's."""
    model = EfficientNetELite('elite0')
    model.init_weights()
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            expected = (2 / (module.out_channels * module.kernel_size[0] ** 2)) ** 0.5
            # Six standard errors of a standard deviation.
            tolerance = 6 / (2 * module.weight.numel()) ** 0.5
            assert module.weight.std().item() == pytest.approx(expected, rel=tolerance), name
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.eps, module.momentum) == (1e-3, 0.01)


@torch.no_grad()
def test_strides_for_small_images():
    model = EfficientNetELite('elite9', strides=(1, 1, 2, 2, 2)).eval()
    assert model.out_strides == (1, 2, 4, 8)
    assert [m.shape[-1] for m in model(torch.randn(1, 3, 32, 32))] == [32, 16, 8, 4]
    plain = EfficientNetELite('elite9')
    plain.load_state_dict(model.state_dict())


@torch.no_grad()
def test_exported_graph_takes_any_size():
    model = EfficientNetELite(width=0.25, depth=0.5).eval()
    side = {2: torch.export.Dim('height', min=40, max=2000), 3: torch.export.Dim('width', min=40, max=2000)}
    exported = torch.export.export(model, (torch.randn(1, 3, 96, 64),), dynamic_shapes=(side,)).module()
    for size in ((96, 64), (65, 97), (75, 53)):
        x = torch.randn(1, 3, *size)
        for actual, expected in zip(exported(x), model(x), strict=True):
            torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('wrong, message', [
    (dict(arch='elite10'), "arch='elite10' must be one of 'elite0' to 'elite9' and 'hf0' to 'hf5'"),
    (dict(), 'width=None must be above 0 where no arch is given'),
    (dict(width=0.5), 'depth=None must be above 0'),
    (dict(width=0, depth=1), 'width=0 must be above 0'),
    (dict(width=1, depth=math.nan), 'depth=nan must be above 0'),
    (dict(arch='elite0', width=0.5), "arch='elite0' fixes width, depth and hardware_friendly"),
    (dict(arch='elite0', hardware_friendly=True), "arch='elite0' fixes width"),
    (dict(arch='elite0', padding='same'), "padding='same' must be one of 'dynamic', 'static', 'symmetric'"),
    (dict(arch='elite4', padding='static'), "image_size=None with padding='static'"),
    (dict(arch='elite4', image_size=203), "image_size=203 with padding='dynamic'"),
    (dict(arch='elite0', padding='static', image_size=0), "image_size=0 with padding='static'"),
    (dict(arch='elite0', drop_connect=1.0), r'drop_connect=1.0 must lie in 0..1'),
    (dict(arch='elite0', drop_style='tf'), "drop_style='tf' must be one of 'standard', 'upstream'"),
    (dict(arch='elite0', strides=(2, 2, 2, 2)), r'strides=\(2, 2, 2, 2\) must be 5 numbers 1 or 2'),
], ids=str)
def test_wrong_arguments_are_explained(wrong, message):
    with pytest.raises(ValueError, match=f'EfficientNetELite: {message}'):
        EfficientNetELite(**wrong)
