# MobileNetV2 0.25x in the PP-LCNet paper's table 3: 1.5 M parameters, 34 M FLOPs, 53.21 % top-1.
_base_ = [
    '../_base_/models/mobilenetv2_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/mobilenetv2_240e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=0.25), head=dict(in_channels=80))
train_dataloader = dict(batch_size=64)
