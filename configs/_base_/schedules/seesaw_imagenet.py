# SeesawNet, section 5.1: SGD with momentum 0.9 and weight decay 4e-5 on all parameters, 400 epochs of batch 96 from
# 0.045, times 0.98 every epoch. The validation interval is ours.
max_epochs = 400
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.045, momentum=0.9, weight_decay=4e-5))
param_scheduler = [dict(type='ExponentialLR', gamma=0.98, by_epoch=True)]
auto_scale_lr = dict(enable=True, base_batch_size=96)
