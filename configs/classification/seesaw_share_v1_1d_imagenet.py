# Seesaw-shareNet v1 1.0D on ImageNet, unpublished: 3.6 M parameters, 361 M multiply-adds.
_base_ = './seesaw_shuffle_1d_imagenet.py'

model = dict(backbone=dict(arch='share_v1'))
