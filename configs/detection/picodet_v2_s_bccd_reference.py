# The reference's own run of v2 on the blood cells of BCCD, from scratch: 27 epochs of 18 steps of 16 images, learning
# rate 0.02, ATSS for 9 epochs, 256..384 in training and 320 in evaluation. It reaches 0.173 AP there
# (docs/reproduce.md).
_base_ = [
    '../_base_/models/picodet_v2.py',
    '../_base_/datasets/bccd.py',
    '../_base_/schedules/picodet_300e.py',
    '../_base_/runtime.py',
]
max_epochs = 27
warmup = 100 / 18  # in epochs

model = dict(bbox_head=dict(num_classes=3), train_cfg=dict(initial_epoch=9))
train_pipeline = _base_.train_pipeline
train_pipeline[5].version = 'pil'
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_epochs=max_epochs, val_interval=9)
optim_wrapper = dict(optimizer=dict(lr=0.02))
auto_scale_lr = dict(enable=False)
# The cosine counts from the end of the warm-up.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=warmup, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', T_max=max_epochs - warmup, begin=warmup, end=max_epochs, convert_to_iter_based=True),
]
