# PP-LCNet 0.75x in the paper's table 2: 2.4 M parameters, 99 M FLOPs, 68.18 % top-1.
_base_ = './pplcnet_1x.py'

model = dict(backbone=dict(scale=0.75), head=dict(in_channels=384))
