"""LC-PAN: parity with the reference, gradients, initialisation."""
import torch

from lcvision.models import LCPAN, PPLCNet
from lcvision.weights.from_paddle import rename
from tests.fixture import Fixture, assert_close


@torch.no_grad()
def test_maps_equal_reference():
    fixture = Fixture('det_v2_pplcnet_x0_25')
    parts = dict(backbone=PPLCNet(scale=0.25, out_indices=(1, 2, 3)), neck=LCPAN([32, 64, 128], 32))
    for prefix, part in parts.items():
        state = {rename(name).removeprefix(f'{prefix}.'): torch.from_numpy(array)
                 for name, array in fixture.params.items() if name.startswith(f'{prefix}.')}
        missing, unexpected = part.load_state_dict(state, strict=False)
        assert not unexpected and all(name.endswith('num_batches_tracked') for name in missing)
        part.eval()
    feats = parts['backbone'](fixture['infer/input'])
    maps = parts['neck'](feats)
    assert_close(feats[0][:, :, ::2, ::2], fixture['infer/backbone/0__sub2'])
    assert_close(maps[0][:, :, ::2, ::2], fixture['infer/neck/0__sub2'])
    for level in range(1, 4):
        assert_close(maps[level], fixture[f'infer/neck/{level}'])
    assert len(maps) == 4


def test_everything_learns():
    neck = LCPAN([4, 6, 8], 16, num_outs=3)
    feats = [torch.randn(2, channels, size, size) for channels, size in ((4, 12), (6, 6), (8, 3))]
    maps = neck(feats)
    assert [tuple(m.shape) for m in maps] == [(2, 16, 12, 12), (2, 16, 6, 6), (2, 16, 3, 3)]
    sum(m.square().sum() for m in maps).backward()
    assert all(p.grad is not None for p in neck.parameters())


def test_initialises_as_reference():
    """The fusing blocks are LCNet's, normal; the rest is uniform. Both have variance 2 / fan_in."""
    neck = LCPAN([64, 128, 256], 64)
    neck.init_weights()
    for name, conv in neck.named_modules():
        if not isinstance(conv, torch.nn.Conv2d):
            continue
        fan_in = conv.weight[0].numel()
        bound, weight = (6 / fan_in) ** 0.5, conv.weight
        assert 0.9 < weight.std() / (2 / fan_in) ** 0.5 < 1.1, name
        assert (weight.abs().max() > 1.2 * bound) == name.startswith(('top_down', 'bottom_up')), name
        if not name.startswith(('top_down', 'bottom_up')):
            assert weight.abs().max() <= bound, name
