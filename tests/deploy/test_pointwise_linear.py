import torch
from torch import nn

from lcvision.deploy.pointwise_linear import PointwiseLinear, linearize_vectors


class Net(nn.Module):
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
    network, x = Net().eval(), torch.randn(2, 3, 6, 5)
    expected = network(x)
    assert linearize_vectors(network, x) is network
    kinds = {name for name, child in network.named_children() if isinstance(child, PointwiseLinear)}
    assert kinds == {'squeeze', 'excite'}
    torch.testing.assert_close(network(x), expected, rtol=1e-5, atol=1e-6)
    assert not any(m._forward_pre_hooks for m in network.modules())
