# PP-LCNet paper, section 4.2: SGD with momentum 0.9, cosine from 0.8 over 360 epochs of batch 2048 (4 x 512) after 5
# epochs of warm-up, weight decay 3e-5 (4e-5 above 1x). Norms do not decay, as in the reference's code.
max_epochs = 360
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.8, momentum=0.9, weight_decay=3e-5),
    paramwise_cfg=dict(norm_decay_mult=0.))
# The cosine counts from the first iteration and the warm-up multiplies it. The reference warms up in a straight line to
# 0.8 instead; the product is at most 0.05 % lower.
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, by_epoch=True, begin=0, end=max_epochs,
        convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=True, base_batch_size=2048)
