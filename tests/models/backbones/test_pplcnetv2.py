"""PP-LCNetV2: its structure, its published counts, and its kernels folded for inference."""
import pytest
import torch
from torch import nn

from lcvision.complexity import count_complexity
from lcvision.deploy.fuse import fuse_network
from lcvision.models import PPLCNetHead, PPLCNetV2
from lcvision.models.backbones.pplcnetv2 import RepDepthwise
from tests.fixture import assert_close


def classifier(backbone):
    return nn.Sequential(backbone, PPLCNetHead(1000, backbone.out_channels[-1], act_cfg=dict(type='ReLU')))


# Widths, blocks of the stages, and parameters and multiply-adds of the classifier as it is trained.
@pytest.mark.parametrize('arch, widths, depths, params, macs', [
    ('small', (96, 192, 384, 768), (2, 2, 4, 2), 4_128_552, 283_463_168),
    ('base', (128, 256, 512, 1024), (2, 2, 6, 2), 6_687_208, 600_072_192),
    ('large', (160, 320, 640, 1280), (2, 2, 8, 2), 10_542_120, 1_092_344_320)])
def test_widths_blocks_and_counts(arch, widths, depths, params, macs):
    with torch.device('meta'):
        backbone = PPLCNetV2(arch)
        counts = count_complexity(classifier(backbone), torch.empty(1, 3, 224, 224))
    assert backbone.out_channels == widths
    assert tuple(map(len, backbone.stages)) == depths
    assert (counts.params, counts.macs) == (params, macs)


def test_folded_counts_are_paddleclas():
    """Its page has 6.6 M parameters and 604 M operations for base: with kernels folded, other norms in place."""
    network = classifier(PPLCNetV2('base')).eval()
    for module in network.modules():
        if isinstance(module, RepDepthwise):
            module.switch_to_deploy()
    counts = count_complexity(network, torch.empty(1, 3, 224, 224))
    assert round(counts.params / 1e6, 1) == 6.6 and int(counts.paddle_flops / 1e6) == 604


def test_each_stage_has_its_extras():
    stages = PPLCNetV2('small').stages
    for index, stage in enumerate(stages):
        for place, block in enumerate(stage):
            assert isinstance(block.dw, RepDepthwise) == (index >= 2)
            assert isinstance(block.pw, nn.Sequential) and len(block.pw) == 2 if index == 2 else block.pw.conv
            assert isinstance(block.se, nn.Identity) == (index != 2)
            assert block.shortcut == (index == 3 and place > 0)
    assert [branch.kernel_size[0] for branch in stages[3][0].dw.branches] == [5, 3], 'stride 2 has no 1 x 1 branch'
    assert [branch.kernel_size[0] for branch in stages[3][1].dw.branches] == [5, 3, 1]
    assert isinstance(stages[2][0].se.gate, nn.Sigmoid)


def lively(model):
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        for tensor in (norm.weight, norm.running_var):
            nn.init.uniform_(tensor, 0.5, 1.5)
        for tensor in (norm.bias, norm.running_mean):
            nn.init.normal_(tensor)
    return model.eval()


@pytest.mark.parametrize('output_stride', [32, 8])
@torch.no_grad()
def test_folded_kernels_give_the_same_maps(output_stride):
    model, image = lively(PPLCNetV2('small', output_stride=output_stride)), torch.randn(1, 3, 65, 96)
    fused = fuse_network(model, image)
    sums = [m for m in fused.modules() if isinstance(m, RepDepthwise)]
    assert len(sums) == 6 and all(len(m.branches) == 1 and m.branches[0].bias is not None for m in sums)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in fused.modules())
    for ours, wanted in zip(fused(image), model(image), strict=True):
        assert_close(ours, wanted, 1e-5)
    assert len(model.stages[3][1].dw.branches) == 3, 'the model itself is left as it was'


@torch.no_grad()
def test_other_norms_are_not_folded():
    model, image = PPLCNetV2('small', norm_cfg=dict(type='GN', num_groups=4)).eval(), torch.randn(1, 3, 64, 64)
    fused = fuse_network(model, image)
    assert len(fused.stages[3][1].dw.branches) == 3
    assert all(torch.equal(a, b) for a, b in zip(fused(image), model(image), strict=True))


def test_wrong_arch_is_explained():
    with pytest.raises(ValueError, match="PPLCNetV2: arch='tiny' must be one of 'small', 'base', 'large'"):
        PPLCNetV2('tiny')
