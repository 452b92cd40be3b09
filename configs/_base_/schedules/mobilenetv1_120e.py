# PaddleClas' recipe for MobileNetV1: SGD with momentum 0.9 and weight decay 3e-5 on all parameters, 120 epochs of batch
# 256 (4 x 64), 0.1 divided by ten every 30 epochs. The PP-LCNet paper gives no recipe for its table 3; the accuracies
# there are those that PaddleClas lists for this one.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=120, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=3e-5))
param_scheduler = [dict(type='MultiStepLR', milestones=[30, 60, 90], gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(enable=True, base_batch_size=256)
