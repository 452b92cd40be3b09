# PP-LCNet 1.5x in PaddleDetection's lcnet_1_5x_416: 36.3 mAP, 52.2 AP50.
_base_ = './picodet_legacy_pplcnet_1x.py'

model = dict(backbone=dict(scale=1.5), neck=dict(in_channels=[192, 384, 768]))
train_dataloader = dict(batch_size=80)
auto_scale_lr = dict(base_batch_size=4 * 80)
