# The first part of `make demo`: the rendered sample set, from scratch at 256 pixels.
_base_ = [
    '../_base_/models/picodet_paper.py',
    '../_base_/datasets/coco_detection_320.py',
    '../_base_/schedules/small_data_adamw.py',
    '../_base_/runtime.py',
]
max_epochs = 70
image_size = (256, 256)
randomness = dict(seed=0)

model = dict(backbone=dict(scale=0.5), neck=dict(in_channels=[64, 128, 256]))
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = image_size
train_pipeline = [
    dict(type='lcvision.LoadImage'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='lcvision.DropIgnored'),
    dict(type='RandomApply', transforms=[dict(type='lcvision.SSDCrop')], prob=0.4),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
train_dataloader = dict(
    batch_size=16, collate_fn=dict(sizes=[224, 256, 288]), dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=max_epochs, val_interval=35)
optim_wrapper = dict(optimizer=dict(lr=4e-3))
param_scheduler = _base_.param_scheduler
param_scheduler[0].end = 50
param_scheduler[1].update(T_max=max_epochs, end=max_epochs)
default_hooks = dict(checkpoint=dict(interval=35), latency=dict(interval=2))
