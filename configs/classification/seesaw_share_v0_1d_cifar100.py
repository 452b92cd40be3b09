# Seesaw-shareNet v0 1.0D in the paper's table 4: 2.4 M parameters, 175 M multiply-adds, 78.84 % top-1.
_base_ = './seesaw_shuffle_1d_cifar100.py'

model = dict(backbone=dict(arch='share_v0'), head=dict(in_channels=312))
