# Seesaw-shareNet v1 0.5D in the paper's table 4: 1.6 M parameters, 108 M multiply-adds, 77.84 % top-1.
_base_ = './seesaw_shuffle_1d_cifar100.py'

model = dict(backbone=dict(arch='share_v1', depth='0.5D'))
