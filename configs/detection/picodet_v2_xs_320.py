# PicoDet v2 XS at 320: 23.5 mAP, 36.1 AP50 in PaddleDetection's picodet_xs_320_coco_lcnet.
_base_ = './picodet_v2_s_320.py'

model = dict(backbone=dict(scale=0.35), neck=dict(in_channels=[48, 88, 176]))
