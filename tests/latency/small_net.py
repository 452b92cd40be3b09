"""A network small enough to be measured in a test."""
import torch
from torch import nn


class SmallNet(nn.Module):
    def __init__(self, width: int = 8):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.depthwise = nn.Conv2d(width, width, 3, 1, 1, groups=width)
        self.norm2 = nn.BatchNorm2d(width)
        self.head = nn.Conv2d(width, 4, 1)

    def forward(self, x):
        x = self.norm(self.stem(x)).relu()
        return self.head(self.norm2(self.depthwise(x)).relu()), x.mean((2, 3))


def shake_norms(network: nn.Module) -> nn.Module:
    for m in network.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_()
            m.running_var.uniform_(0.5, 2)
            nn.init.normal_(m.weight)
            nn.init.normal_(m.bias)
    return network.eval()


def small_net() -> nn.Module:
    torch.manual_seed(0)
    return shake_norms(SmallNet())
