# Seesaw-Net as a classifier, as in its table 2; a config sets the backbone's arch, depth and strides and the head's
# in_channels: 320, for share_v0 312.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='lcvision.SeesawNet', arch='shuffle', depth='1.0D', strides='imagenet', out_indices=(3,)),
    head=dict(
        type='lcvision.ConvGapHead',
        num_classes=1000,
        in_channels=320,
        mid_channels=1280,
        dropout=0.,
        act_cfg=dict(type='ReLU6')))
