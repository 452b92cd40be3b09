# Seesaw-shareNet v1 0.5D on ImageNet, unpublished: 2.7 M parameters, 209 M multiply-adds.
_base_ = './seesaw_shuffle_1d_imagenet.py'

model = dict(backbone=dict(arch='share_v1', depth='0.5D'))
