# PP-LCNet 2.5x in the paper's table 2: 9.0 M parameters, 906 M FLOPs, 76.60 % top-1.
_base_ = [
    '../_base_/models/pplcnet_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/pplcnet_360e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(scale=2.5), head=dict(in_channels=1280))
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
# AutoAugment is not in the paper, but in the reference's config of this width alone.
train_pipeline = [
    dict(type='lcvision.LoadAnyImage'),
    dict(type='RandomResizedCrop', scale=224),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='AutoAugment', policies='imagenet'),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
