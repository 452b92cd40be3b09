# MobileNetV1 1x in the PP-LCNet paper's table 3: 4.3 M parameters, 578 M FLOPs, 70.99 % top-1.
_base_ = [
    '../_base_/models/mobilenetv1_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/mobilenetv1_120e.py',
    '../_base_/runtime_classification.py',
]
train_dataloader = dict(batch_size=64)
