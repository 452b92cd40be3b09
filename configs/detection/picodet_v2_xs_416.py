# PicoDet v2 XS at 416: 26.2 mAP, 39.3 AP50 in PaddleDetection's picodet_xs_416_coco_lcnet.
_base_ = './picodet_v2_s_416.py'

model = dict(backbone=dict(scale=0.35), neck=dict(in_channels=[48, 88, 176]))
train_dataloader = dict(batch_size=56)
optim_wrapper = dict(optimizer=dict(lr=0.28))
auto_scale_lr = dict(base_batch_size=4 * 56)
