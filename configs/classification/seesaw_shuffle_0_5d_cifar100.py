# Seesaw-shuffleNet 0.5D in the paper's table 4: 1.6 M parameters, 108 M multiply-adds, 77.82 % top-1.
_base_ = './seesaw_shuffle_1d_cifar100.py'

model = dict(backbone=dict(depth='0.5D'))
