# Seesaw-shareNet v1 1.0D in the paper's table 3: 2.4 M parameters, 181 M multiply-adds, 95.20 % top-1.
_base_ = './seesaw_shuffle_1d_cifar10.py'

model = dict(backbone=dict(arch='share_v1'))
