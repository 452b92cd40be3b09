# MobileNetV3-large 0.35x in the PP-LCNet paper's table 3: 2.1 M parameters, 41 M FLOPs, 64.32 % top-1.
# The accuracy is that of PaddleClas' recipe, which differs from PP-LCNet's in learning rate (1.3) and weight decay.
_base_ = [
    '../_base_/models/mobilenetv3_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/pplcnet_360e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=0.35), head=dict(in_channels=56, mid_channels=336))
optim_wrapper = dict(optimizer=dict(lr=1.3, weight_decay=2e-5))
