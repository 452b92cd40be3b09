# From scratch on a few hundred images: AdamW learns in minutes where the paper's SGD, made for COCO, needs hours.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=100, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0.),
    clip_grad=dict(max_norm=35))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=100, by_epoch=True, begin=0, end=100, convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=8)
custom_hooks = [dict(type='lcvision.CycleEMAHook', decay=0.998)]
