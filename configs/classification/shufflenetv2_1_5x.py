# ShuffleNetV2 1.5x in the PP-LCNet paper's table 3: 3.5 M parameters, 301 M FLOPs, 71.63 % top-1.
_base_ = [
    '../_base_/models/shufflenetv2_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/shufflenetv2_240e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=1.5), head=dict(in_channels=704))
train_dataloader = dict(batch_size=256)
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
