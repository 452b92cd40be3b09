# EfficientNet-eLite 3 in the paper's table 5: 3.78 M parameters, 296.88 M multiply-adds, 75.65 % top-1.
_base_ = './elite0.py'

model = dict(backbone=dict(arch='elite3'), head=dict(in_channels=280, mid_channels=1112))
