"""HGNetV2: published counts, and the structure; tests/weights has timm's names."""
import pytest
import torch
from mmcv.cnn import ConvModule
from torch import nn

from lcvision.complexity import count_complexity
from lcvision.models import HGNetV2, PPLCNetHead
from lcvision.models.layers.blocks import AffineReLU


# Widths, and parameters and multiply-adds of the classifier; the parameters are those of timm's networks.
@pytest.mark.parametrize('arch, widths, params, macs', [
    ('b0', (64, 256, 512, 1024), 5_996_550, 321_326_464),
    ('b1', (64, 256, 512, 1024), 6_343_158, 489_387_840),
    ('b2', (96, 384, 768, 1536), 11_221_356, 1_137_703_680)])
def test_widths_and_counts(arch, widths, params, macs):
    with torch.device('meta'):
        backbone = HGNetV2(arch)
        network = nn.Sequential(backbone, PPLCNetHead(1000, widths[-1], 2048, act_cfg=dict(type='lcvision.AffineReLU')))
        counts = count_complexity(network, torch.empty(1, 3, 224, 224))
    assert backbone.out_channels == widths
    assert (counts.params, counts.macs) == (params, macs)


def test_light_layers_and_shortcuts_begin_where_they_should():
    backbone = HGNetV2('b0')
    blocks = [[m for m in stage if not isinstance(m, ConvModule)] for stage in backbone.stages[1:]]
    assert list(map(len, blocks)) == [1, 1, 2, 1]
    for index, stage in enumerate(blocks):
        for place, block in enumerate(stage):
            assert block.shortcut == (place > 0) and len(block.layers) == 3
            assert all(isinstance(layer, nn.Sequential) == (index > 1) for layer in block.layers)
    # Downsampling and the first convolution of a light layer have neither activation nor affine numbers.
    plain = [m for m in backbone.modules() if isinstance(m, ConvModule) and not m.with_activation]
    assert len(plain) == 3 + 3 * 3 and sum(isinstance(m, AffineReLU) for m in backbone.modules()) == 30


@torch.no_grad()
def test_affine_numbers_stand_behind_the_relu():
    layer = AffineReLU()
    x = torch.tensor([-1., 2.])
    assert torch.equal(layer(x), torch.tensor([0., 2.]))
    layer.weight.fill_(3.)
    layer.bias.fill_(-1.)
    assert torch.equal(layer(x), torch.tensor([-1., 5.]))


def test_wrong_arch_is_explained():
    with pytest.raises(ValueError, match="HGNetV2: arch='b9' must be one of 'b0', 'b1', 'b2'"):
        HGNetV2('b9')
