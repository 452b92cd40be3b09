# PP-LCNet 2x in the paper's table 2: 6.5 M parameters, 590 M FLOPs, 75.18 % top-1.
_base_ = './pplcnet_1x.py'

model = dict(backbone=dict(scale=2.0), head=dict(in_channels=1024))
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
