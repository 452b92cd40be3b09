# PP-LCNet 0.5x in the paper's table 2: 1.9 M parameters, 47 M FLOPs, 63.14 % top-1.
_base_ = './pplcnet_1x.py'

model = dict(backbone=dict(scale=0.5), head=dict(in_channels=256))
