# PaddleClas' recipe for PP-LCNetV2: SGD with momentum 0.9, cosine from 0.8 over 480 epochs after 5 of warm-up, weight
# decay 4e-5. It trains on batches of 160 to 320 pixels, 500 images at the first size; here they have 224 and the
# size of PP-LCNet's batches, 2048 in all.
_base_ = './pplcnet_360e.py'

max_epochs = 480
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, by_epoch=True, begin=0, end=max_epochs,
        convert_to_iter_based=True),
]
