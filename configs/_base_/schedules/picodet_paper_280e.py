# PP-LCNet paper, section 4.3: SGD with momentum 0.9 and weight decay 1e-4, cosine from 0.3 over 280 epochs of batch 224
# (4 x 56). Norms do not decay, as in the reference's code. Warm-up, EMA and its cycle are not in the paper (assumed,
# from the configs of August 2021).
max_epochs = 280
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.3, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(norm_decay_mult=0.))
# The cosine counts from the first iteration and the warm-up multiplies it.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=300),
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, by_epoch=True, begin=0, end=max_epochs,
        convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=True, base_batch_size=224)
custom_hooks = [dict(type='lcvision.CycleEMAHook', decay=0.9998, cycle_epoch=40)]
