# Seesaw-shareNet v0 1.0D in the paper's table 3: 2.3 M parameters, 175 M multiply-adds, 95.36 % top-1.
_base_ = './seesaw_shuffle_1d_cifar10.py'

model = dict(backbone=dict(arch='share_v0'), head=dict(in_channels=312))
