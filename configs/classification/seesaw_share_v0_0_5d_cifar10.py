# Seesaw-shareNet v0 0.5D in the paper's table 3: 1.4 M parameters, 104 M multiply-adds, 94.99 % top-1.
_base_ = './seesaw_shuffle_1d_cifar10.py'

model = dict(backbone=dict(arch='share_v0', depth='0.5D'), head=dict(in_channels=312))
