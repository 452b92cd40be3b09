# Seesaw-shareNet v1 0.5D in the paper's table 3: 1.5 M parameters, 108 M multiply-adds, 94.80 % top-1.
_base_ = './seesaw_shuffle_1d_cifar10.py'

model = dict(backbone=dict(arch='share_v1', depth='0.5D'))
