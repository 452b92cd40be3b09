# PP-LCNet 1x in the comparison of the backbones at equal training (docs/results.md).
_base_ = './deeplabv3plus_pplcnet_0_5x_camvid.py'

model = dict(backbone=dict(scale=1.0), decode_head=dict(in_channels=[64, 512]))
