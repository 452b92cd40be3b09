# MobileNetV3-small 1.25x in the PP-LCNet paper's table 3: 3.6 M parameters, 100 M FLOPs, 70.67 % top-1.
# PaddleClas' recipe, whose accuracy this is, differs from PP-LCNet's in the learning rate, 1.3, and the weight decay.
_base_ = [
    '../_base_/models/mobilenetv3_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/pplcnet_360e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='small', scale=1.25), head=dict(in_channels=120, mid_channels=720))
optim_wrapper = dict(optimizer=dict(lr=1.3, weight_decay=2e-5))
