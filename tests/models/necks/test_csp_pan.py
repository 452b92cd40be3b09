"""CSP-PAN: parity with the reference, odd sizes, initialisation, wrong arguments."""
import pytest
import torch

from lcvision.models import CSPPAN, PPLCNet
from lcvision.weights.from_paddle import rename
from tests.fixture import Fixture, assert_close


@torch.no_grad()
def test_maps_equal_reference():
    fixture = Fixture('det_legacy_pplcnet_x0_25')
    parts = dict(backbone=PPLCNet(scale=0.25, out_indices=(1, 2, 3)), neck=CSPPAN([32, 64, 128], 32))
    for prefix, part in parts.items():
        state = {rename(name).removeprefix(f'{prefix}.'): torch.from_numpy(array)
                 for name, array in fixture.params.items() if name.startswith(f'{prefix}.')}
        missing, unexpected = part.load_state_dict(state, strict=False)
        assert not unexpected and all(name.endswith('num_batches_tracked') for name in missing)
        part.eval()
    maps = parts['neck'](parts['backbone'](fixture['infer/input']))
    assert len(maps) == 4
    assert_close(maps[0][:, :, ::2, ::2], fixture['infer/neck/0__sub2'])
    for level in range(1, 4):
        assert_close(maps[level], fixture[f'infer/neck/{level}'])


def test_sizes_and_gradients():
    neck = CSPPAN([4, 6, 8], 16, kernel_size=3, num_outs=3, num_csp_blocks=2)
    feats = [torch.randn(2, c, *size) for c, size in ((4, (13, 10)), (6, (7, 5)), (8, (4, 3)))]
    maps = neck(feats)
    assert [tuple(m.shape) for m in maps] == [(2, 16, 13, 10), (2, 16, 7, 5), (2, 16, 4, 3)]
    sum(m.square().sum() for m in maps).backward()
    assert all(p.grad is not None for p in neck.parameters())
    assert CSPPAN([4, 6, 8], 16)(feats)[3].shape == (2, 16, 2, 2)


def test_initialises_as_reference():
    neck = CSPPAN([64, 128], 64, num_outs=3)
    neck.init_weights()
    for conv in (m for m in neck.modules() if isinstance(m, torch.nn.Conv2d)):
        bound = (6 / conv.weight[0].numel()) ** 0.5
        assert 0.95 * bound < conv.weight.abs().max() <= bound


@pytest.mark.parametrize(('arguments', 'words'), [
    (dict(out_channels=33), 'out_channels=33'), (dict(num_csp_blocks=0), 'num_csp_blocks=0'),
    (dict(num_outs=5), 'num_outs=5'), (dict(kernel_size=4), 'kernel_size=4')])
def test_wrong_argument_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        CSPPAN(**{**dict(in_channels=[32, 64, 128], out_channels=32), **arguments})
