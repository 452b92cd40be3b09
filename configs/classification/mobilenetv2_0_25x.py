# MobileNetV2 0.25x in the PP-LCNet paper's table 3: 1.5 M parameters, 34 M FLOPs, 53.21 % top-1.
_base_ = './mobilenetv2_0_5x.py'

model = dict(backbone=dict(scale=0.25), head=dict(in_channels=80))
