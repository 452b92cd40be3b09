# PicoDet v2 M at 320: 34.4 mAP, 50.0 AP50 in PaddleDetection's picodet_m_320_coco_lcnet.
_base_ = './picodet_v2_s_320.py'

neck_channels = 128

model = dict(
    backbone=dict(scale=1.5),
    neck=dict(in_channels=[192, 384, 768], out_channels=neck_channels),
    bbox_head=dict(in_channels=neck_channels, stacked_convs=4))
train_dataloader = dict(batch_size=48)
optim_wrapper = dict(optimizer=dict(lr=0.24))
auto_scale_lr = dict(base_batch_size=4 * 48)
