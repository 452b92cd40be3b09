# PaddleClas' recipe for ShuffleNetV2: SGD with momentum 0.9 and weight decay 3e-5 (4e-5 from 1x) on all parameters,
# cosine from 0.5 over 240 epochs of batch 1024 (4 x 256) after 5 epochs of warm-up. The PP-LCNet paper gives no recipe
# for its table 3; the accuracies there are those that PaddleClas lists for this one.
max_epochs = 240
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.5, momentum=0.9, weight_decay=3e-5))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, by_epoch=True, begin=0, end=max_epochs,
        convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=True, base_batch_size=1024)
