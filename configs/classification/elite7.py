# EfficientNet-eLite 7 in the paper's table 5: 2.18 M parameters, 127.99 M multiply-adds, 70.18 % top-1.
_base_ = './elite4.py'

model = dict(backbone=dict(arch='elite7'), head=dict(in_channels=224, mid_channels=896))
