# PP-LCNet as a classifier; a config sets the backbone's scale and the head's in_channels, the last width of table 1.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='lcvision.PPLCNet', scale=1.0, out_indices=(3,)),
    head=dict(
        type='lcvision.PPLCNetHead',
        num_classes=1000,
        in_channels=512,
        dropout=0.2,
        # From the reference's configs, not the paper.
        loss=dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, mode='original')))
