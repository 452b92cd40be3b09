# Seesaw-shareNet v0 0.5D on ImageNet, unpublished: 2.7 M parameters, 200 M multiply-adds.
_base_ = './seesaw_shuffle_1d_imagenet.py'

model = dict(backbone=dict(arch='share_v0', depth='0.5D'), head=dict(in_channels=312))
