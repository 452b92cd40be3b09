# A worked example: CamVid's 367 street frames from scratch on a CPU, in a quarter of an hour on two cores (docs/reproduce.md).
# The paper's recipe learns little in so few steps; this one has a higher rate, AdamW and bfloat16.
_base_ = [
    '../_base_/models/deeplabv3plus.py',
    '../_base_/datasets/cityscapes_1024x512.py',
    '../_base_/schedules/small_data_poly_adamw.py',
    '../_base_/runtime_segmentation.py',
]
max_iters = 1600
image_size = (480, 360)
crop_size = (256, 320)
randomness = dict(seed=0)

model = dict(backbone=dict(scale=0.5), decode_head=dict(in_channels=[32, 256]))
train_pipeline = [
    dict(type='lcvision.LoadImage'),
    dict(type='lcvision.LoadMask', num_classes=19),
    dict(type='RandomResize', scale=image_size, ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type='Pad', size=crop_size[::-1], pad_val=dict(img=127, seg=255)),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='lcvision.PicoDistort', version='pil', brightness=(0.6, 1.4), contrast=(0.6, 1.4), saturation=(0.6, 1.4)),
    dict(type='PackSegInputs'),
]
camvid = dict(data_root='data/camvid/', img_suffix='_leftImg8bit.jpg')
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline, **camvid))
val_dataloader = dict(dataset=camvid)
test_dataloader = val_dataloader
train_cfg = dict(max_iters=max_iters, val_interval=max_iters // 4)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=100),
    dict(type='PolyLR', power=0.9, eta_min=0., by_epoch=False, begin=100, end=max_iters + 1),
]
default_hooks = dict(checkpoint=dict(interval=max_iters // 4), visualization=dict(type='SegVisualizationHook'))
