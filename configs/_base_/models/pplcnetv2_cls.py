# PP-LCNetV2 as a classifier: the head is PP-LCNet's with ReLU.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='lcvision.PPLCNetV2', arch='base', out_indices=(3,)),
    head=dict(
        type='lcvision.PPLCNetHead',
        num_classes=1000,
        in_channels=1024,
        dropout=0.2,
        act_cfg=dict(type='ReLU'),
        loss=dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, mode='original')))
