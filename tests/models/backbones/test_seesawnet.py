"""Seesaw-Net against the paper's tables; what all backbones share is in tests/contracts."""
import pytest
import torch
from torch import nn

from lcvision.complexity import count_complexity
from lcvision.deploy.fuse import fuse_network
from lcvision.models import ConvGapHead, SeesawNet
from lcvision.models.layers.seesaw_block import SeesawBlock
from lcvision.papers import SEESAW
from tests.fixture import assert_close

# Tables 6 and 7.
STRIDE_8 = (1, 1, 1, 2, 2, 1, 2, 1)
# Table; network; classes; parameters and multiply-adds.
COUNTS = [
    ('3', dict(depth='0.5D', strides='cifar'), 10, 1_459_834, 108_212_736),
    ('3', dict(depth='1.0D', strides='cifar'), 10, 2_375_994, 181_105_152),
    ('3', dict(arch='share_v1', depth='0.5D', strides='cifar'), 10, 1_459_834, 108_212_736),
    ('3', dict(arch='share_v1', depth='1.0D', strides='cifar'), 10, 2_375_994, 181_105_152),
    ('3', dict(arch='share_v0', depth='0.5D', strides='cifar'), 10, 1_413_682, 104_073_728),
    ('3', dict(arch='share_v0', depth='1.0D', strides='cifar'), 10, 2_303_890, 175_007_744),
    ('4', dict(depth='0.5D', strides='cifar'), 100, 1_575_124, 108_327_936),
    ('4', dict(depth='1.0D', strides='cifar'), 100, 2_491_284, 181_220_352),
    ('4', dict(arch='share_v1', depth='0.5D', strides='cifar'), 100, 1_575_124, 108_327_936),
    ('4', dict(arch='share_v1', depth='1.0D', strides='cifar'), 100, 2_491_284, 181_220_352),
    ('4', dict(arch='share_v0', depth='0.5D', strides='cifar'), 100, 1_528_972, 104_188_928),
    ('4', dict(arch='share_v0', depth='1.0D', strides='cifar'), 100, 2_419_180, 175_122_944),
    ('5', dict(depth='1.0D'), 1000, 3_644_184, 360_950_976),
    ('5', dict(depth='0.5D'), 1000, 2_728_024, 209_265_792),
    ('5', dict(arch='share_v0', depth='1.0D'), 1000, 3_572_080, 349_187_840),
    ('5', dict(arch='share_v0', depth='0.5D'), 1000, 2_681_872, 200_060_456),
    ('6', dict(arch='share_v1', depth='0.5D', strides=STRIDE_8), 10, 1_459_834, 58_489_344),
    ('6', dict(arch='share_v2', depth='0.5D', strides=STRIDE_8), 10, 1_413_682, 56_515_712),
    ('7', dict(arch='share_v1', depth='0.5D', strides=STRIDE_8, expand=3), 100, 1_060_348, 33_724_416),
]
NAMES = {'shuffle': 'shuffleNet', 'share_v0': 'shareNet v0', 'share_v1': 'shareNet v1', 'share_v2': 'shareNet v2'}
OWN_PARAMS = [('shuffle', '1.0D', 1_951_024), ('shuffle', '0.5D', 1_034_864), ('share_v1', '1.0D', 1_951_024),
              ('share_v0', '1.0D', 1_889_160), ('share_v0', '0.5D', 998_952), ('share_v2', '0.5D', 998_952)]


def classifier(backbone, num_classes):
    return nn.Sequential(backbone, ConvGapHead(num_classes, backbone.out_channels[-1]))


@pytest.mark.parametrize('table, arguments, classes, params, macs', COUNTS,
                         ids=lambda v: '-'.join(map(str, v.values())) if isinstance(v, dict) else None)
def test_counts_equal_the_tables(table, arguments, classes, params, macs):
    size = 224 if classes == 1000 else 32
    with torch.device('meta'):
        model = classifier(SeesawNet(**arguments), classes)
        counts = count_complexity(model, torch.empty(1, 3, size, size))
    assert (counts.params, counts.macs) == (params, macs)
    # The author's counter adds one for each weight of a norm, which decides one rounding in table 6.
    norms = sum(m.num_features for m in model.modules() if isinstance(m, nn.BatchNorm2d))
    name = f"Seesaw-{NAMES[arguments.get('arch', 'shuffle')]} {arguments['depth']}"
    for row in (row for row in SEESAW.table(table) if row.model == name):
        assert row.flops == f'{(macs + norms) / 1e6:.0f}'
        assert row.params in (f'{params / 1e6:.1f}', '-')


@pytest.mark.parametrize('arch, depth, params', OWN_PARAMS)
def test_backbone_ends_at_its_last_block(arch, depth, params):
    with torch.device('meta'):
        model = SeesawNet(arch, depth)
    assert sum(p.numel() for p in model.parameters()) == params
    blocks = [block for stage in model.stages for block in stage]
    assert len(blocks) == {'1.0D': 32, '0.5D': 17}[depth]
    assert all(isinstance(block, SeesawBlock) for block in blocks)


@pytest.mark.parametrize('arch', NAMES)
def test_blocks_become_even_in_the_row_of_160(arch):
    with torch.device('meta'):
        blocks = [block for stage in SeesawNet(arch, '0.5D').stages for block in stage]
    even = [isinstance(block.expand, nn.Conv2d) for block in blocks]
    assert even == [False] * 14 + [True] * 3
    width = 156 if arch in ('share_v0', 'share_v2') else 160
    assert [block.dw.conv.in_channels // 6 for block in blocks[14:]] == [width] * 3


@pytest.mark.parametrize('strides, expected', [('imagenet', (4, 8, 16, 32)), ('cifar', (1, 2, 4, 4)),
                                               (STRIDE_8, (1, 2, 4, 8)), ([2] * 8, (8, 16, 64, 256))], ids=str)
@pytest.mark.parametrize('arch', NAMES)
@torch.no_grad()
def test_strides_decide_the_sizes(arch, strides, expected):
    model = SeesawNet(arch, '0.5D', strides, output_stride=32).eval()
    capped = tuple(min(stride, 32) for stride in expected)
    assert model.out_strides == capped
    assert model.out_channels == ((24, 36, 96, 312) if arch in ('share_v0', 'share_v2') else (24, 32, 96, 320))
    maps = model(torch.randn(1, 3, 32, 40))
    assert [tuple(m.shape[2:]) for m in maps] == [(-(-32 // s), -(-40 // s)) for s in capped]


def test_initialisation_equals_the_authors():
    """Every convolution, each of an uneven pair on its own: normal of std sqrt(2 / (kernel area * outputs))."""
    model = SeesawNet()
    model.init_weights()
    convs = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    for conv in convs:
        expected = (2 / (conv.kernel_size[0] ** 2 * conv.out_channels)) ** 0.5
        # Six standard errors of a standard deviation.
        assert conv.weight.std().item() == pytest.approx(expected, rel=6 / (2 * conv.weight.numel()) ** 0.5)
    assert len(convs) == 1 + 26 * 5 + 6 * 3


@pytest.mark.parametrize('arch', NAMES)
@torch.no_grad()
def test_deployed_network_gives_the_same_maps(arch):
    model = SeesawNet(arch, '0.5D').requires_grad_(False).train()
    x = torch.randn(2, 3, 64, 64)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            module.momentum = 1.
    model(x)
    model.double().eval()
    x = x.double()
    quick = fuse_network(model, x)
    for actual, expected in zip(quick(x), model(x), strict=True):
        assert (actual - expected).abs().max() <= 1e-10 * expected.abs().max()
    kinds = {type(m) for m in quick.modules()}
    assert nn.BatchNorm2d not in kinds and nn.ChannelShuffle not in kinds
    for actual, expected in zip(quick.float()(x.float()), model.float()(x.float()), strict=True):
        # Two ways to add up in single precision, through 17 blocks with random norms.
        assert_close(actual, expected)


@torch.no_grad()
def test_deployed_network_exports():
    model, x = SeesawNet(depth='0.5D', out_indices=(3,)).eval(), torch.randn(1, 3, 64, 64)
    quick = fuse_network(model, x)
    exported = torch.export.export(quick, (x,))
    assert_close(exported.module()(x)[0], model(x)[0])
    names = [str(node.target) for node in exported.graph.nodes if node.op == 'call_function']
    assert not any('shuffle' in name or 'norm' in name or 'transpose' in name for name in names)


@pytest.mark.parametrize('arguments, words', [
    (dict(arch='share'), ["arch='share'", "'share_v0'"]), (dict(depth='2D'), ["depth='2D'", "'0.5D'"]),
    (dict(strides='coco'), ["strides='coco'", "'cifar'", '8 numbers']),
    (dict(strides=(2, 2, 2)), ['strides=(2, 2, 2)']), (dict(strides=(3, 1, 2, 2, 2, 1, 2, 1)), ['numbers 1 or 2']), 
    (dict(expand=0), ['expand=0', '6 or 3']), (dict(expand=1.5), ['expand=1.5']),
], ids=str)
def test_wrong_arguments_are_explained(arguments, words):
    with pytest.raises(ValueError, match='SeesawNet: ') as error:
        SeesawNet(**arguments)
    assert all(word in str(error.value) for word in words)
