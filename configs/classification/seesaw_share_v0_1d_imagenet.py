# Seesaw-shareNet v0 1.0D on ImageNet, unpublished: 3.6 M parameters, 349 M multiply-adds.
_base_ = './seesaw_shuffle_1d_imagenet.py'

model = dict(backbone=dict(arch='share_v0'), head=dict(in_channels=312))
