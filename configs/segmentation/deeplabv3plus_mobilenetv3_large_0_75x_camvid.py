# MobileNetV3-large 0.75x in the comparison of the backbones at equal training (docs/results.md).
_base_ = './deeplabv3plus_pplcnet_0_5x_camvid.py'

model = dict(
    backbone=dict(type='lcvision.MobileNetV3', arch='large', scale=0.75, style='paddleseg2021'),
    decode_head=dict(in_channels=[24, 120]))
