# PP-LCNet 0.25x in the paper's table 2: 1.5 M parameters, 18 M FLOPs, 51.86 % top-1.
_base_ = './pplcnet_1x.py'

model = dict(backbone=dict(scale=0.25), head=dict(in_channels=128))
