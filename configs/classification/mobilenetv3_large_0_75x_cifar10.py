# mobilenetv3_large_0_5x_cifar10.py at one and a half times the width.
_base_ = './mobilenetv3_large_0_5x_cifar10.py'

model = dict(backbone=dict(scale=0.75), head=dict(in_channels=120, mid_channels=720))
