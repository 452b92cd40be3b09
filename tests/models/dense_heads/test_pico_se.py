"""The gate of PicoDet v2."""
import torch

from lcvision.models.dense_heads.pico_se import PicoSE


def test_gates_by_the_mean_and_mixes():
    se = PicoSE(3, norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU')).eval()
    torch.nn.init.zeros_(se.fc.weight)
    se.fc.bias.data = torch.tensor([0., 100., -100.])
    se.conv.conv.weight.data = torch.eye(3)[:, :, None, None]
    x = torch.rand(2, 3, 4, 5)
    expected = x * torch.tensor([0.5, 1., 0.])[:, None, None] / (1 + se.conv.bn.eps) ** 0.5
    torch.testing.assert_close(se(x), expected)


def test_gate_sees_the_whole_map():
    se = PicoSE(4, norm_cfg=dict(type='BN'), act_cfg=dict(type='HSwish')).eval()
    x = torch.rand(1, 4, 6, 6)
    changed = x.clone()
    changed[..., 5, 5] += 10
    assert not torch.allclose(se(x)[..., 0, 0], se(changed)[..., 0, 0])
