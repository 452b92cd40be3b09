# PP-LCNet 0.5x at output stride 16 in the comparison of the backbones at equal training (docs/results.md).
_base_ = './deeplabv3plus_pplcnet_0_5x_camvid.py'

model = dict(backbone=dict(output_stride=16))
