# A worked example: CamVid from scratch on a CPU, 367 street frames (docs/reproduce.md). The paper's recipe learns
# little in so few steps; this one has AdamW at a high rate, bfloat16, averaged weights, and class weights that help
# thin classes: one over the square root of a class's share of the training pixels.
_base_ = [
    '../_base_/models/deeplabv3plus.py',
    '../_base_/datasets/camvid_small_data.py',
    '../_base_/schedules/small_data_poly_adamw.py',
    '../_base_/runtime_segmentation.py',
]
max_iters = 5600
randomness = dict(seed=0)

# Of Cityscapes' 19 classes 11 occur: road, sidewalk, building, fence, pole, sign, vegetation, sky, person, rider, car.
class_weight = [0.7, 1.8, 0.8, 1., 3.7, 3.9, 1., 3.6, 1.25, 1., 0.95, 5., 7., 1.6, 1., 1., 1., 1., 1.]
model = dict(
    backbone=dict(scale=0.5),
    decode_head=dict(
        in_channels=[32, 256],
        loss_decode=dict(_delete_=True, type='lcvision.ClassWeightedCrossEntropy', class_weight=class_weight)))
optim_wrapper = dict(optimizer=dict(lr=5e-3))
train_cfg = dict(max_iters=max_iters, val_interval=max_iters // 7)
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = max_iters + 1
default_hooks = dict(checkpoint=dict(interval=max_iters // 7))
custom_hooks = [dict(type='lcvision.PositionBaselineHook'), dict(type='lcvision.CycleEMAHook', decay=0.998)]
