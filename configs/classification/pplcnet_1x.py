# PP-LCNet 1x in the paper's table 2: 3.0 M parameters, 161 M FLOPs, 71.32 % top-1.
_base_ = [
    '../_base_/models/pplcnet_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/pplcnet_360e.py',
    '../_base_/runtime_classification.py',
]
