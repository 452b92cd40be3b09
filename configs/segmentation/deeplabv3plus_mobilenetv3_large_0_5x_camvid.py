# MobileNetV3-large 0.5x in the comparison of the backbones at equal training (docs/results.md).
_base_ = './deeplabv3plus_mobilenetv3_large_0_75x_camvid.py'

model = dict(backbone=dict(scale=0.5), decode_head=dict(in_channels=[16, 80]))
