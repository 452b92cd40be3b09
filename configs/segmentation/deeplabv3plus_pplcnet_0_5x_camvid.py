# A worked example: CamVid from scratch on a CPU, 367 street frames, in 18 minutes on two cores (docs/reproduce.md). The
# paper's recipe learns little in so few steps; this one has AdamW at a high rate, bfloat16, and class weights that help
# thin classes: one over the square root of a class's share of the training pixels.
_base_ = [
    '../_base_/models/deeplabv3plus.py',
    '../_base_/datasets/cityscapes_1024x512.py',
    '../_base_/schedules/small_data_poly_adamw.py',
    '../_base_/runtime_segmentation.py',
]
max_iters = 1500
image_size = (480, 360)
crop_size = (256, 320)
randomness = dict(seed=0)

# Of Cityscapes' 19 classes 11 occur: road, sidewalk, building, fence, pole, sign, vegetation, sky, person, rider, car.
class_weight = [0.7, 1.8, 0.8, 1., 3.7, 3.9, 1., 3.6, 1.25, 1., 0.95, 5., 7., 1.6, 1., 1., 1., 1., 1.]
model = dict(
    backbone=dict(scale=0.5),
    decode_head=dict(
        in_channels=[32, 256],
        loss_decode=dict(_delete_=True, type='lcvision.ClassWeightedCrossEntropy', class_weight=class_weight)))
train_pipeline = [
    dict(type='lcvision.LoadImage'),
    dict(type='lcvision.LoadMask', num_classes=19),
    dict(type='RandomResize', scale=image_size, ratio_range=(0.6, 1.8), keep_ratio=True),
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
optim_wrapper = dict(optimizer=dict(lr=1e-2))
train_cfg = dict(max_iters=max_iters, val_interval=max_iters // 4)
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = max_iters + 1
default_hooks = dict(checkpoint=dict(interval=max_iters // 4))
