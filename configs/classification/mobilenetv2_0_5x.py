# MobileNetV2 0.5x in the PP-LCNet paper's table 3: 2.0 M parameters, 99 M FLOPs, 65.03 % top-1.
_base_ = [
    '../_base_/models/mobilenetv2_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/mobilenetv2_240e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=0.5), head=dict(in_channels=160))
train_dataloader = dict(batch_size=64)
