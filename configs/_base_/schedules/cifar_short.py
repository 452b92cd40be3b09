# A few epochs of 32 x 32 images from scratch: SGD with Nesterov momentum, a short warm-up and a cosine down to zero. Of
# the rates tried for 3 epochs, PP-LCNet 0.5x has 49 % at 0.1, 59 at 0.3 and 65 at 0.8, where wider ones and MobileNetV3
# learn less than at 0.3 (docs/reproduce.md).
max_epochs = 4
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.3, momentum=0.9, nesterov=True, weight_decay=5e-4),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0.))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=300),
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, by_epoch=True, begin=0, end=max_epochs,
        convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=True, base_batch_size=128)
