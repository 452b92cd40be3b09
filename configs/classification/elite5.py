# EfficientNet-eLite 5 in the paper's table 5: 2.68 M parameters, 206.72 M multiply-adds, 73.33 % top-1.
_base_ = './elite0.py'

model = dict(backbone=dict(arch='elite5'), head=dict(in_channels=224, mid_channels=896))
