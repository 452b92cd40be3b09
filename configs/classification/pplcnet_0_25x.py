# PP-LCNet 0.25x in the paper's table 2: 1.5 M parameters, 18 M FLOPs, 51.86 % top-1.
_base_ = [
    '../_base_/models/pplcnet_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/pplcnet_360e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=0.25), head=dict(in_channels=128))
