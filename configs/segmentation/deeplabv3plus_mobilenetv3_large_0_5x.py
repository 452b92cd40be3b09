# MobileNetV3-large 0.5x in the paper's table 5: 55.42 mIoU, 135 ms on 10 threads of a Xeon Gold 6148.
_base_ = './deeplabv3plus_mobilenetv3_large_0_75x.py'

model = dict(backbone=dict(scale=0.5), decode_head=dict(in_channels=[16, 80]))
