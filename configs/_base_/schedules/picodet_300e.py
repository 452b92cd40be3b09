# PicoDet since October 2021: SGD with momentum 0.9 and weight decay 4e-5, cosine over 300 epochs, 300 iterations of
# warm-up from a tenth. A config sets its learning rate, its batch on four GPUs (base_batch_size), and, if it stops
# before the cosine ends, train_cfg.max_epochs. The reference's later code starts the cosine after the warm-up; on COCO
# that changes the rate by at most 0.3 % of its peak.
cosine_epochs = 300
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=cosine_epochs, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# In the reference the norms of PP-LCNet's blocks (also those in LCPAN) and of the towers do not decay; all others do.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.4, momentum=0.9, weight_decay=4e-5),
    paramwise_cfg=dict(
        norm_decay_mult=0.,
        custom_keys={
            'neck.laterals': dict(decay_mult=1.),
            'neck.downsamples': dict(decay_mult=1.),
            'neck.first_top': dict(decay_mult=1.),
            'neck.second_top': dict(decay_mult=1.),
            'bbox_head.cls_align': dict(decay_mult=1.),
        }))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=300),
    dict(type='CosineAnnealingLR', T_max=cosine_epochs, by_epoch=True, begin=0, end=cosine_epochs,
         convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=True, base_batch_size=320)
custom_hooks = [dict(type='lcvision.CycleEMAHook', decay=0.9998)]
