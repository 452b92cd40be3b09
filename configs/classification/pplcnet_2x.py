# PP-LCNet 2x in the paper's table 2: 6.5 M parameters, 590 M FLOPs, 75.18 % top-1.
_base_ = [
    '../_base_/models/pplcnet_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/pplcnet_360e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=2.0), head=dict(in_channels=1024))
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
