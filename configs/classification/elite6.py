# EfficientNet-eLite 6 in the paper's table 5: 2.52 M parameters, 181.32 M multiply-adds, 72.23 % top-1.
_base_ = './elite0.py'

model = dict(backbone=dict(arch='elite6'), head=dict(in_channels=224, mid_channels=896))
