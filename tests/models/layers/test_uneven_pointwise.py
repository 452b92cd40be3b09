"""Two groups of any ratio against a dense weight with zeros."""
import pytest
import torch
from torch import nn

from lcvision.models.layers.uneven_pointwise import UnevenPointwise, grouped_pointwise


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
