# PP-LCNet 0.75x in the paper's table 2: 2.4 M parameters, 99 M FLOPs, 68.18 % top-1.
_base_ = [
    '../_base_/models/pplcnet_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/pplcnet_360e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=0.75), head=dict(in_channels=384))
