# EfficientNet-eLite's published settings: TensorFlow's RMSprop, 350 epochs of batch 100 at 0.00625 (0.256 for 4096),
# times 0.97 every 2.4 epochs after 5 epochs of warm-up, weight decay 1e-5 except on norms, EMA of weights 0.9999.
# There are no weights or logs to compare with: momentum, alpha and eps are those of the code the authors built on.
max_epochs = 350
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='lcvision.RMSpropTF', lr=0.00625, alpha=0.9, eps=1e-3, momentum=0.9, weight_decay=1e-5),
    paramwise_cfg=dict(norm_decay_mult=0.))
# The decay counts from the first epoch but takes effect after the warm-up. The reference steps within epochs, at 2.4,
# 4.8, ...; here the step comes at the end of that epoch, so that whole epochs have the reference's rate.
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(type='MultiStepLR', gamma=0.97, milestones=[max(5, -(-12 * step // 5)) for step in range(1, 146)]),
]
auto_scale_lr = dict(enable=True, base_batch_size=100)
custom_hooks = [dict(type='lcvision.CycleEMAHook', decay=0.9999)]
