"""Seesaw-Net's block against the authors' numbers, and its form for inference against itself."""
import copy
import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lcvision.complexity import count_complexity
from lcvision.models.layers.seesaw_block import SeesawBlock, UnevenPointwise, grouped_pointwise
from tests.fixture import Fixture, assert_close

# Prefixes of the authors' names and ours.
UNEVEN = {'pwconv10.0': 'expand.first', 'pwconv20.0': 'expand.second', 'Permu2.0': 'expand_norm',
          'dwconv.0': 'dw.conv', 'dwconv.1': 'dw.bn', 'pwconv11.0': 'project.first', 'pwconv21.0': 'project.second',
          'Permu4.0': 'project_norm'}
EVEN = {'conv.0': 'expand', 'conv.1': 'expand_norm', 'conv.3': 'dw.conv', 'conv.4': 'dw.bn', 'conv.6': 'project',
        'conv.7': 'project_norm'}
CASES = [('unb_32_16_t1_s1', (32, 16, 1, 1)), ('unb_24_24_t6_s1', (24, 24, 1, 6)), ('unb_24_32_t6_s2', (24, 32, 2, 6)),
         ('bn_160_160_t6_s1', (160, 160, 1, 6)), ('bn_160_320_t6_s1', (160, 320, 1, 6))]
KINDS = [dict(ratio=ratio, mirror=mirror, permute=permute)
         for ratio, mirror, permute in itertools.product([(1, 3), (1, 2), (1, 1)], [False, True], [False, True])]


@pytest.fixture(scope='module')
def fixture():
    return Fixture('seesaw_blocks')


def block_of(fixture, case, arguments):
    names = EVEN if case.startswith('bn') else UNEVEN
    block = SeesawBlock(*arguments, ratio=(1, 1) if case.startswith('bn') else (1, 3)).eval()
    state = {}
    for key in fixture.keys(f'{case}/w/'):
        theirs, _, leaf = key.removeprefix(f'{case}/w/').rpartition('.')
        state[f'{names[theirs]}.{leaf}'] = fixture[key]
    missing, unexpected = block.load_state_dict(state, strict=False)
    assert not unexpected and all(name.endswith('num_batches_tracked') for name in missing)
    return block


def shaken(block):
    for module in block.modules():
        if isinstance(module, _BatchNorm):
            for tensor in (module.weight, module.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (module.bias, module.running_mean):
                nn.init.normal_(tensor)
    return block.eval().requires_grad_(False)


def deployed(block):
    block = copy.deepcopy(block)
    block.switch_to_deploy()
    return block


@pytest.mark.parametrize('case, arguments', CASES, ids=lambda v: v if isinstance(v, str) else '')
@pytest.mark.parametrize('deploy', [False, True], ids=['training', 'deployed'])
@torch.no_grad()
def test_equals_the_authors_block(fixture, case, arguments, deploy):
    block = block_of(fixture, case, arguments)
    out = (deployed(block) if deploy else block)(fixture[f'{case}/x'])
    if f'{case}/y' in fixture.arrays:
        assert_close(out, fixture[f'{case}/y'], 5e-5)
    else:
        assert_close(out[:, :, ::2, ::2], fixture[f'{case}/y__sub2'], 5e-5)


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: '-'.join(map(str, kind.values())))
@pytest.mark.parametrize('channels, out_channels, stride', [(24, 24, 1), (24, 36, 2), (72, 72, 1), (72, 96, 2)])
@torch.no_grad()
def test_deployed_computes_the_same(kind, channels, out_channels, stride):
    block = shaken(SeesawBlock(channels, out_channels, stride, 2, **kind)).double()
    quick, x = deployed(block), torch.randn(2, channels, 7, 9, dtype=torch.float64)
    torch.testing.assert_close(quick(x), block(x), rtol=1e-12, atol=1e-12)
    assert not any(isinstance(m, nn.ChannelShuffle) for m in quick.modules())
    split = {name for name in ('expand', 'project') if isinstance(getattr(quick, name), UnevenPointwise)}
    if kind['ratio'] == (1, 1) or channels < 64:
        assert not split
    else:
        assert split == ({'expand'} if kind['permute'] else {'expand', 'project'})
    assert all(isinstance(getattr(quick, f'{name}_norm'), nn.Identity) for name in split)
    assert not any(m.training for m in quick.modules() if isinstance(m, nn.Conv2d | _BatchNorm))
    assert_close(quick.float()(x.float()), block.float()(x.float()), 1e-5)
    quick.switch_to_deploy()
    assert_close(quick(x.float()), block(x.float()), 1e-5)


@torch.no_grad()
def test_deployed_even_block_multiplies_no_zeros():
    block = shaken(SeesawBlock(24, 24, ratio=(1, 1)))
    counts = [count_complexity(each, torch.zeros(1, 24, 5, 5)) for each in (block, deployed(block))]
    assert counts[0].macs == counts[1].macs and counts[0].params == counts[1].params


@torch.no_grad()
def test_group_norm_keeps_its_groups():
    """Its statistics belong to neighbouring channels: the permutation cannot be folded away."""
    for channels, ratio in ((24, (1, 3)), (24, (1, 1)), (64, (1, 3))):
        block = SeesawBlock(channels, channels, ratio=ratio, norm_cfg=dict(type='GN', num_groups=4)).eval()
        x = torch.randn(1, channels, 5, 5)
        torch.testing.assert_close(deployed(block)(x), block(x))


@torch.no_grad()
def test_permutation_alternates_the_halves():
    block = SeesawBlock(8, 8)
    channels = torch.arange(48.).view(1, 48, 1, 1)
    expected = np.stack((np.arange(24), np.arange(24, 48)), 1).ravel()
    assert block.shuffle(channels).flatten().tolist() == expected.tolist()
    assert torch.equal(SeesawBlock(8, 8, permute=False).shuffle(channels), channels)


@pytest.mark.parametrize('out_channels, stride, shortcut', [(24, 1, True), (36, 1, False), (24, 2, False)])
@torch.no_grad()
def test_shortcut_stands_where_shapes_agree(out_channels, stride, shortcut):
    block = SeesawBlock(24, out_channels, stride).eval()
    nn.init.zeros_(block.project_norm.weight)
    x = torch.randn(2, 24, 9, 7)
    out = block(x)
    assert out.shape == (2, out_channels, -(-9 // stride), -(-7 // stride))
    assert torch.equal(out, x) if shortcut else not out.any()


def test_mirrored_groups_overlap():
    plain, mirrored = (SeesawBlock(24, 24, mirror=mirror, permute=False) for mirror in (False, True))
    assert plain.project.sizes == [36, 108] and mirrored.project.sizes == [108, 36]
    assert plain.expand.sizes == mirrored.expand.sizes == [6, 18]


@torch.no_grad()
def test_groups_do_not_see_each_other():
    conv = UnevenPointwise(8, 12, (1, 3))
    x = torch.randn(2, 8, 5, 3)
    out = conv(x)
    assert out.shape == (2, 12, 5, 3)
    changed = x.clone()
    changed[:, 2:] += 1
    assert torch.equal(conv(changed)[:, :3], out[:, :3]) and (conv(changed)[:, 3:] != out[:, 3:]).all()
    assert conv.first.weight.shape == (3, 2, 1, 1) and conv.second.weight.shape == (9, 6, 1, 1)


@pytest.mark.parametrize('ratio', [(1, 3), (3, 1), (1, 2), (2, 1), (5, 1)], ids=str)
@torch.no_grad()
def test_dense_computes_the_same(ratio):
    uneven = UnevenPointwise(24, 36, ratio).double().eval().requires_grad_(False)
    dense = uneven.dense()
    x = torch.randn(2, 24, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(dense(x), uneven(x), rtol=1e-12, atol=1e-12)
    share = sum((part / sum(ratio)) ** 2 for part in ratio)
    assert dense.weight.count_nonzero().item() == pytest.approx(share * dense.weight.numel())
    assert not dense.training and not dense.weight.requires_grad


@pytest.mark.parametrize('affine', [True, False])
@torch.no_grad()
def test_norm_folds_into_both(affine):
    conv, norm = UnevenPointwise(8, 12, (1, 3)).double(), nn.BatchNorm2d(12, affine=affine).double()
    x = torch.randn(4, 8, 5, 3, dtype=torch.float64)
    for tensor in (*norm.parameters(), norm.running_var):
        nn.init.uniform_(tensor, 0.5, 1.5)
    nn.init.normal_(norm.running_mean)
    expected = norm.eval()(conv(x))
    conv.fold(norm)
    torch.testing.assert_close(conv(x), expected, rtol=1e-12, atol=1e-12)


@torch.no_grad()
def test_equal_groups_are_torchs():
    conv = grouped_pointwise(8, 12, (1, 1))
    assert type(conv) is nn.Conv2d and conv.groups == 2 and conv.bias is None
    assert conv(torch.randn(1, 8, 3, 3)).shape == (1, 12, 3, 3)
    assert isinstance(grouped_pointwise(8, 12, (1, 3)), UnevenPointwise)


@pytest.mark.parametrize('in_channels, out_channels, ratio, name, parts', [
    (10, 12, (1, 3), 'in_channels=10', 4), (12, 10, (1, 3), 'out_channels=10', 4),
    (16, 24, (1, 2), 'in_channels=16', 3), (9, 8, (1, 1), 'in_channels=9', 2), (0, 8, (1, 3), 'in_channels=0', 4),
])
def test_channels_that_do_not_divide_are_explained(in_channels, out_channels, ratio, name, parts):
    with pytest.raises(ValueError) as error:
        grouped_pointwise(in_channels, out_channels, ratio)
    assert f'{name} cannot be divided {ratio[0]}:{ratio[1]}; it must be a multiple of {parts}' in str(error.value)


@pytest.mark.parametrize('ratio', [(1,), (0, 4), (1, 2, 1)], ids=str)
def test_wrong_ratio_is_explained(ratio):
    with pytest.raises(ValueError, match='two whole numbers above 0'):
        grouped_pointwise(12, 12, ratio)
