# PP-LCNetV2 base: 6.6 M parameters, 604 M FLOPs, 77.04 % top-1 in PaddleClas' table of its page.
_base_ = [
    '../_base_/models/pplcnetv2_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/pplcnetv2_480e.py',
    '../_base_/runtime_classification.py',
]
