# ShuffleNetV2 0.5x in the PP-LCNet paper's table 3: 1.4 M parameters, 43 M FLOPs, 60.32 % top-1.
_base_ = [
    '../_base_/models/shufflenetv2_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/shufflenetv2_240e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=0.5), head=dict(in_channels=192))
train_dataloader = dict(batch_size=256)
