# ShuffleNetV2 as a classifier; a config sets the backbone's scale and the head's in_channels and mid_channels: 512
# below 0.5x, else 1024 (2048 at 2x).
model = dict(
    type='ImageClassifier',
    backbone=dict(type='lcvision.ShuffleNetV2', scale=1.0, out_indices=(3,)),
    head=dict(
        type='lcvision.ConvGapHead',
        num_classes=1000,
        in_channels=464,
        mid_channels=1024,
        dropout=0.,
        act_cfg=dict(type='ReLU'),
        loss=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0)))
