# The second part of `make demo`: the rendered shapes, from scratch in crops of 256 pixels.
_base_ = [
    '../_base_/models/deeplabv3plus.py',
    '../_base_/datasets/cityscapes_1024x512.py',
    '../_base_/schedules/small_data_poly_adamw.py',
    '../_base_/runtime_segmentation.py',
]
max_iters = 360
image_size = (384, 256)
crop_size = (256, 256)
randomness = dict(seed=0)

model = dict(backbone=dict(scale=0.5), decode_head=dict(in_channels=[32, 256]))
train_pipeline = [
    dict(type='lcvision.LoadImage'),
    dict(type='lcvision.LoadMask', num_classes=19),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=max_iters, val_interval=max_iters // 2)
optim_wrapper = dict(optimizer=dict(lr=1e-2))
param_scheduler = _base_.param_scheduler
param_scheduler[0].end = 30
param_scheduler[1].update(begin=30, end=max_iters + 1)
default_hooks = dict(checkpoint=dict(interval=max_iters // 2), latency=dict(interval=2))
