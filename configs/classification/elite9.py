# EfficientNet-eLite 9 in the paper's table 5: 1.34 M parameters, 74.56 M multiply-adds, 65.46 % top-1.
_base_ = './elite0.py'

model = dict(backbone=dict(arch='elite9'), head=dict(in_channels=168, mid_channels=656))
