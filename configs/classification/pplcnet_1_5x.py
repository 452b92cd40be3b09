# PP-LCNet 1.5x in the paper's table 2: 4.5 M parameters, 342 M FLOPs, 73.71 % top-1.
_base_ = './pplcnet_1x.py'

model = dict(backbone=dict(scale=1.5), head=dict(in_channels=768))
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
