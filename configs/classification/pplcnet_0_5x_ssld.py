# PP-LCNet 0.5x with SSLD in the paper's table 2: 66.10 % top-1, 63.14 % without. The schedule is that of 1x (assumed).
_base_ = './pplcnet_1x_ssld.py'

model = dict(backbone=dict(scale=0.5), head=dict(in_channels=256))
