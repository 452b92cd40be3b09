# PP-LCNet 0.35x in the comparison of the backbones at equal training (docs/results.md).
_base_ = './picodet_pplcnet_0_5x_bccd.py'

model = dict(backbone=dict(scale=0.35), neck=dict(in_channels=[48, 88, 176]))
