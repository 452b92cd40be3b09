# Seesaw-shuffleNet 0.5D in the paper's table 3: 1.5 M parameters, 108 M multiply-adds, 95.10 % top-1.
_base_ = './seesaw_shuffle_1d_cifar10.py'

model = dict(backbone=dict(depth='0.5D'))
