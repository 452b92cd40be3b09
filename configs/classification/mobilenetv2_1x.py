# MobileNetV2 1x in the PP-LCNet paper's table 3: 3.5 M parameters, 327 M FLOPs, 72.15 % top-1.
_base_ = [
    '../_base_/models/mobilenetv2_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/mobilenetv2_240e.py',
    '../_base_/runtime_classification.py',
]
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
