# PP-LCNet paper, section 4.4: SGD with momentum 0.9 and weight decay 4e-5, the rate falling from 0.01 to 0 with power
# 0.9 over 80 000 iterations of batch 32 (4 x 8), without warm-up.
max_iters = 80000
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=2000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# In the reference the norms of either backbone do not decay; those of the head, and all biases, do.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=4e-5),
    paramwise_cfg=dict(norm_decay_mult=0., custom_keys=dict(decode_head=dict(decay_mult=1.))))
# For another length of training change both numbers. mmengine stops one step before `end`.
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0., by_epoch=False, begin=0, end=max_iters + 1)]
auto_scale_lr = dict(enable=True, base_batch_size=32)
