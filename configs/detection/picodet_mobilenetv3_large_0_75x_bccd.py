# MobileNetV3-large 0.75x in the comparison of the backbones at equal training (docs/results.md).
_base_ = './picodet_mobilenetv3_large_0_35x_bccd.py'

model = dict(backbone=dict(scale=0.75), neck=dict(in_channels=[32, 88, 120]))
