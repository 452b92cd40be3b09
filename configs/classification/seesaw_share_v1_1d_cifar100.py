# Seesaw-shareNet v1 1.0D in the paper's table 4: 2.5 M parameters, 181 M multiply-adds, 78.73 % top-1.
_base_ = './seesaw_shuffle_1d_cifar100.py'

model = dict(backbone=dict(arch='share_v1'))
