# ImageNet-1k whose labels are not used, and a folder of unlabelled images beside it with
# --cfg-options train_dataloader.dataset.folder=DIR.
_base_ = './imagenet_224.py'
train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        _delete_=True,
        type='lcvision.WithoutLabels',
        folder=None,
        dataset=_base_.train_dataloader.dataset))
