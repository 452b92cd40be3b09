# Seesaw-shuffleNet 0.5D on ImageNet: 2.7 M parameters, 209 M multiply-adds; the paper has it in its figure 2 only.
_base_ = './seesaw_shuffle_1d_imagenet.py'

model = dict(backbone=dict(depth='0.5D'))
