# pplcnet_0_5x_cifar10.py at twice the width.
_base_ = './pplcnet_0_5x_cifar10.py'

model = dict(backbone=dict(scale=1.0), head=dict(in_channels=512))
