# PP-LCNet 1.5x in the comparison of the backbones at equal training (docs/results.md).
_base_ = './picodet_pplcnet_0_5x_bccd.py'

model = dict(backbone=dict(scale=1.5), neck=dict(in_channels=[192, 384, 768]))
