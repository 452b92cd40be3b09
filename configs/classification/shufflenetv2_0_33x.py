# ShuffleNetV2 0.33x in the PP-LCNet paper's table 3: 0.6 M parameters, 24 M FLOPs, 53.73 % top-1.
_base_ = [
    '../_base_/models/shufflenetv2_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/shufflenetv2_240e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=0.33), head=dict(in_channels=128, mid_channels=512))
train_dataloader = dict(batch_size=256)
