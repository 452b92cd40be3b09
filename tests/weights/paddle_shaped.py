"""Skeletons with the module names of the package's models, so that the name rules are tested without the models."""
from torch import nn


class ConvBN(nn.Module):
    def __init__(self, cin, cout, kernel=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(cout)


class Pair(nn.Module):
    """Depthwise and pointwise; ``dense`` makes the first convolution a full one to ``cout``."""

    def __init__(self, cin, cout, kernel=5, dense=False):
        super().__init__()
        self.dw = ConvBN(cin, cout, kernel) if dense else ConvBN(cin, cin, kernel, groups=cin)
        self.pw = ConvBN(cout if dense else cin, cout)


class CSPLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.main, self.short, self.final = ConvBN(2 * width, width // 2), ConvBN(2 * width, width // 2), None
        self.final = ConvBN(width, width)
        block = Pair(width // 2, width // 2)
        block.reduce = ConvBN(width // 2, width // 2)
        self.blocks = nn.ModuleList([block])


def neck(kind, width=32, in_channels=(32, 64, 128)):
    module = nn.Module()
    if kind == 'pan':
        module.laterals = nn.ModuleList(nn.Conv2d(channels, width, 1) for channels in in_channels)
        return module
    module.laterals = nn.ModuleList(ConvBN(channels, width) for channels in in_channels)
    module.first_top, module.second_top = Pair(width, width), Pair(width, width)
    module.downsamples = nn.ModuleList(Pair(width, width) for _ in range(2))

    def layer():
        return CSPLayer(width) if kind == 'csp' else nn.Sequential(Pair(2 * width, 2 * width), Pair(2 * width, width))

    module.top_down, module.bottom_up = (nn.ModuleList(layer() for _ in range(2)) for _ in range(2))
    return module


def head(levels, outputs, width=32, v2=False):
    module = nn.Module()
    module.towers = nn.ModuleList(nn.Sequential(Pair(width, width), Pair(width, width)) for _ in range(levels))
    module.predictors = nn.ModuleList(nn.Conv2d(width, outputs, 1) for _ in range(levels))
    if v2:
        module.reg_predictors = nn.ModuleList(nn.Conv2d(width, 32, 1) for _ in range(levels))
        module.cls_align = nn.ModuleList(Pair(width, 1, dense=True) for _ in range(levels))
        module.se = nn.ModuleList(nn.Module() for _ in range(levels))
        for gate in module.se:
            gate.fc, gate.conv = nn.Conv2d(width, width, 1), ConvBN(width, width)
    return module


def squeeze_excite(channels, mid):
    module = nn.Module()
    module.reduce, module.expand = nn.Conv2d(channels, mid, 1), nn.Conv2d(mid, channels, 1)
    return module


def mobilenet_v3_large_0_35():
    """Kernel, expanded width, output width and SE width of the fifteen blocks."""
    rows = [(3, 8, 8, 0), (3, 24, 8, 0), (3, 24, 8, 0), (5, 24, 16, 6), (5, 40, 16, 10), (5, 40, 16, 10),
            (3, 88, 32, 0), (3, 72, 32, 0), (3, 64, 32, 0), (3, 64, 32, 0), (3, 168, 40, 42), (3, 232, 40, 58),
            (5, 232, 56, 58),
            (5, 336, 56, 84), (5, 336, 56, 84)]
    module = nn.Module()
    module.stem, channels, module.blocks = ConvBN(3, 8, 3), 8, nn.ModuleList()
    for kernel, wide, out, mid in rows:
        block = nn.Module()
        block.expand, block.dw = ConvBN(channels, wide), ConvBN(wide, wide, kernel, groups=wide)
        block.project, channels = ConvBN(wide, out), out
        if mid:
            block.se = squeeze_excite(wide, mid)
        module.blocks.append(block)
    return module


def pplcnet_0_25():
    """Kernel, input and output width and SE width of the thirteen blocks."""
    stages = [[(3, 8, 8, 0)], [(3, 8, 16, 0), (3, 16, 16, 0)], [(3, 16, 32, 0), (3, 32, 32, 0)],
              [(3, 32, 64, 0)] + 5 * [(5, 64, 64, 0)], [(5, 64, 128, 16), (5, 128, 128, 32)]]
    module = nn.Module()
    module.stem, module.stages = ConvBN(3, 8, 3), nn.ModuleList()
    for rows in stages:
        stage = nn.Sequential()
        for kernel, cin, cout, mid in rows:
            block = Pair(cin, cout, kernel)
            if mid:
                block.se = squeeze_excite(cin, mid)
            stage.append(block)
        module.stages.append(stage)
    return module


def classifier(classes=10, bias=False):
    module = nn.Module()
    module.backbone, module.head = pplcnet_0_25(), nn.Module()
    module.head.expand, module.head.fc = nn.Conv2d(128, 1280, 1, bias=bias), nn.Linear(1280, classes)
    return module


def detector(generation, classes=4):
    module = nn.Module()
    module.backbone = pplcnet_0_25()
    module.neck = neck({'paper': 'pan', 'legacy': 'csp', 'v2': 'lc'}[generation])
    v2 = generation == 'v2'
    module.bbox_head = head(3 if generation == 'paper' else 4, classes if v2 else classes + 32, v2=v2)
    return module
