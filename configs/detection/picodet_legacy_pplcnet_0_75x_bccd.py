# The October-2021 PicoDet in the comparison of the three generations on BCCD: the backbone, width, images, rate and 27
# epochs of picodet_v2_s_bccd_reference.py (docs/reproduce.md).
_base_ = [
    '../_base_/models/picodet_legacy.py',
    '../_base_/datasets/bccd.py',
    '../_base_/schedules/picodet_300e.py',
    '../_base_/runtime.py',
]
max_epochs = 27

model = dict(
    backbone=dict(scale=0.75),
    neck=dict(in_channels=[96, 192, 384], out_channels=96),
    bbox_head=dict(num_classes=3, in_channels=96, stacked_convs=2))
train_cfg = dict(max_epochs=max_epochs, val_interval=9)
optim_wrapper = dict(optimizer=dict(lr=0.02), paramwise_cfg=dict(custom_keys={'neck.': dict(decay_mult=1.)}))
auto_scale_lr = dict(enable=False)
param_scheduler = _base_.param_scheduler
# 100 steps
param_scheduler[0] = dict(type='LinearLR', start_factor=0.1, begin=0, end=100 / 18, convert_to_iter_based=True)
param_scheduler[1].update(T_max=max_epochs, end=max_epochs)
