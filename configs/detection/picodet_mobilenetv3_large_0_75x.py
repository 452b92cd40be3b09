# MobileNetV3-large 0.75x in the paper's table 4: 25.8 mAP, 11.1 ms on 10 threads of a Xeon Gold 6148.
_base_ = './picodet_mobilenetv3_large_0_35x.py'

model = dict(backbone=dict(scale=0.75), neck=dict(in_channels=[32, 88, 120]))
