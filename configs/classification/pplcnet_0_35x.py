# PP-LCNet 0.35x in the paper's table 2: 1.6 M parameters, 29 M FLOPs, 58.09 % top-1.
_base_ = [
    '../_base_/models/pplcnet_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/pplcnet_360e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=0.35), head=dict(in_channels=176))
