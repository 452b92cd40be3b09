# From scratch on a few hundred images, in iterations: AdamW at a high rate with a warm-up, in bfloat16 if the CPU
# supports it, learns in minutes where the paper's SGD, made for 80 000 iterations of Cityscapes, needs hours.
max_iters = 2000
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters // 4)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='lcvision.BF16OptimWrapper',
    optimizer=dict(type='AdamW', lr=3e-3, weight_decay=0.01),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0.))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=100),
    dict(type='PolyLR', power=0.9, eta_min=0., by_epoch=False, begin=100, end=max_iters + 1),
]
auto_scale_lr = dict(enable=False, base_batch_size=8)
custom_hooks = [dict(type='lcvision.PositionBaselineHook')]
