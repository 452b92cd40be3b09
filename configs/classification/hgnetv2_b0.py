# HGNetV2-B0: 6.0 M parameters, 77.8 % top-1 in PaddleX' table, after distillation on more images. PaddleClas' recipe of
# it is not reproduced: the schedule is PP-LCNet's.
_base_ = [
    '../_base_/models/pplcnetv2_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/pplcnet_360e.py',
    '../_base_/runtime_classification.py',
]
model = dict(
    backbone=dict(_delete_=True, type='lcvision.HGNetV2', arch='b0', out_indices=(3,)),
    head=dict(in_channels=1024, expand_channels=2048, act_cfg=dict(type='lcvision.AffineReLU')))
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
