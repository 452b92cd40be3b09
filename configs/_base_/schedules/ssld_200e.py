# PaddleClas' config of PP-LCNet 1x with SSLD, two years younger than the paper: SGD with momentum 0.9, cosine
# from 0.4 over 200 epochs of batch 1024 (8 x 128) after 5 epochs of warm-up, weight decay 1e-5, none for norms. The
# paper gives no recipe.
max_epochs = 200
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.4, momentum=0.9, weight_decay=1e-5),
    paramwise_cfg=dict(norm_decay_mult=0.))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, by_epoch=True, begin=0, end=max_epochs,
        convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=True, base_batch_size=1024)
