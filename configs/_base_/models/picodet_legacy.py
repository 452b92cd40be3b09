# PicoDet of October 2021: CSP-PAN, SimOTA and the varifocal loss, four levels.
_base_ = './picodet.py'

neck_channels = 128

model = dict(
    neck=dict(type='lcvision.CSPPAN', out_channels=neck_channels, num_outs=4),
    bbox_head=dict(
        type='lcvision.PicoHeadOTA',
        in_channels=neck_channels,
        stacked_convs=4,
        strides=[8, 16, 32, 64],
        loss_cls=dict(type='VarifocalLoss', use_sigmoid=True, iou_weighted=True, loss_weight=1.0),
        loss_dfl=dict(type='DistributionFocalLoss', loss_weight=0.25)),
    train_cfg=dict(assigner=dict(type='lcvision.PicoSimOTAAssigner', center_radius=2.5, candidate_topk=10)))
