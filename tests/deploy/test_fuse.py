import torch
from mmcv.cnn import ConvModule
from torch import nn

from lcvision.deploy.fuse import PointwiseLinear, fuse_network, linearize_vectors
from tests.latency.small_net import shake_norms, small_net


def norms(network):
    return [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]


def check(network, x, left):
    network = shake_norms(network)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    expected = network(x)
    fused = fuse_network(network, x)
    torch.testing.assert_close(fused(x), expected, rtol=1e-4, atol=1e-4)
    assert len(norms(fused)) == left
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in before.items())
    return fused


def test_plain_pairs():
    check(small_net(), torch.randn(1, 3, 16, 16), 0)


def test_conv_module_keeps_its_activation():
    net = nn.Sequential(ConvModule(3, 8, 3, norm_cfg=dict(type='BN'), act_cfg=dict(type='HSwish')),
                        ConvModule(8, 8, 3, groups=8, norm_cfg=dict(type='BN'), act_cfg=None))
    check(net, torch.randn(1, 3, 16, 16), 0)


def test_no_hook_is_left_behind():
    network = small_net()
    fused = check(network, torch.randn(1, 3, 16, 16), 0)
    assert not any(m._forward_hooks for m in [*fused.modules(), *network.modules()])


class SharedConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.first, self.second = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x):
        return self.first(self.conv(x)), self.second(self.conv(x))


def test_shared_convolution_with_two_norms_is_left_alone():
    check(SharedConv(), torch.randn(1, 3, 8, 8), 2)


class OutOfOrder(nn.Module):
    """Declares the norm of its second convolution after the first, and uses a norm on its own."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 1)
        self.before = nn.BatchNorm2d(3)

    def forward(self, x):
        return self.norm(self.second(self.first(self.before(x)).relu()))


def test_order_of_running_counts():
    fused = check(OutOfOrder(), torch.randn(1, 3, 8, 8), 1)
    assert isinstance(fused.norm, nn.Identity)


class StandardisedConv(nn.Conv2d):
    """Changes its weight in forward: folding a norm into it would be wrong."""

    def forward(self, x):
        return self._conv_forward(x, self.weight / self.weight.std((1, 2, 3), keepdim=True), self.bias)


def test_convolution_that_changes_its_weight_is_left_alone():
    check(nn.Sequential(StandardisedConv(3, 4, 3), nn.BatchNorm2d(4)), torch.randn(1, 3, 8, 8), 1)


class Reparameterised(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 3, 1, bias=False)
        self.both = None

    def forward(self, x):
        return self.left(x) + self.right(x) if self.both is None else self.both(x)

    def switch_to_deploy(self):
        self.both = nn.Conv2d(3, 3, 1, bias=False)
        self.both.weight.data = self.left.weight.data + self.right.weight.data
        del self.left, self.right


def test_branches_are_merged_where_a_module_can():
    fused = check(nn.Sequential(Reparameterised(), nn.BatchNorm2d(3)), torch.randn(1, 3, 8, 8), 0)
    assert not hasattr(fused[0], 'left')


class Vectors(nn.Module):
    def __init__(self):
        super().__init__()
        self.map = nn.Conv2d(3, 8, 1)
        self.squeeze = nn.Conv2d(8, 4, 1, bias=False)
        self.excite = nn.Conv2d(4, 8, 1)
        self.both = nn.Conv2d(8, 8, 1)
        self.wide = nn.Conv2d(8, 8, 3, padding=1)
        self.grouped = nn.Conv2d(8, 8, 1, groups=2)

    def forward(self, x):
        x = self.both(self.map(x))
        scale = self.excite(self.squeeze(x.mean((2, 3), keepdim=True)).relu())
        return x * self.grouped(self.wide(self.both(scale)))


def test_only_convolutions_of_vectors_are_replaced_and_the_result_is_the_same():
    network, x = Vectors().eval(), torch.randn(2, 3, 6, 5)
    expected = network(x)
    assert linearize_vectors(network, x) is network
    kinds = {name for name, child in network.named_children() if isinstance(child, PointwiseLinear)}
    assert kinds == {'squeeze', 'excite'}
    torch.testing.assert_close(network(x), expected, rtol=1e-5, atol=1e-6)
    assert not any(m._forward_pre_hooks for m in network.modules())
