# EfficientNet-eLite 8 in the paper's table 5: 1.60 M parameters, 114.52 M multiply-adds, 68.80 % top-1.
_base_ = './elite0.py'

model = dict(backbone=dict(arch='elite8'), head=dict(in_channels=168, mid_channels=656))
