# PP-LCNet 1x in the comparison of the backbones at equal training (docs/results.md).
_base_ = './picodet_pplcnet_0_5x_bccd.py'

model = dict(backbone=dict(scale=1.0), neck=dict(in_channels=[128, 256, 512]))
