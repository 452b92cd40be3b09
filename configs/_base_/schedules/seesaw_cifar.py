# SeesawNet, section 5.1: SGD with momentum 0.9 and weight decay 1e-4 on all parameters, batch 64, from 0.1, a tenth of
# it after 200, 300 and 350 epochs. The total of 400 is IGCV3's, whose settings the paper adopts (assumed).
max_epochs = 400
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[200, 300, 350], gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(enable=True, base_batch_size=64)
