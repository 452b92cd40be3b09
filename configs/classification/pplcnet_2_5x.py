# PP-LCNet 2.5x in the paper's table 2: 9.0 M parameters, 906 M FLOPs, 76.60 % top-1.
_base_ = './pplcnet_1x.py'

model = dict(backbone=dict(scale=2.5), head=dict(in_channels=1280))
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
# AutoAugment is not in the paper; the reference has it in its config of this width only.
train_pipeline = _base_.train_pipeline
train_pipeline.insert(3, dict(type='AutoAugment', policies='imagenet'))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
