# The reference's own run on the blood cells of BCCD, from scratch: 50 epochs of 18 steps of 16 images, learning rate
# 0.02, 256..384 in training and 320 in evaluation. It shows that we train as the reference does (docs/reproduce.md).
_base_ = [
    '../_base_/models/picodet_paper.py',
    '../_base_/datasets/bccd.py',
    '../_base_/schedules/picodet_paper_280e.py',
    '../_base_/runtime.py',
]
max_epochs = 50

model = dict(backbone=dict(scale=0.5), neck=dict(in_channels=[64, 128, 256]), bbox_head=dict(num_classes=3))
train_cfg = dict(max_epochs=max_epochs, val_interval=10)
optim_wrapper = dict(optimizer=dict(lr=0.02))
auto_scale_lr = dict(enable=False)
param_scheduler = _base_.param_scheduler
param_scheduler[0].end = 100
param_scheduler[1].update(T_max=max_epochs, end=max_epochs)
