# PP-LCNet 0.35x in the paper's table 2: 1.6 M parameters, 29 M FLOPs, 58.09 % top-1.
_base_ = './pplcnet_1x.py'

model = dict(backbone=dict(scale=0.35), head=dict(in_channels=176))
