"""Cityscapes with the masks that come with the download."""
from mmseg.datasets import CityscapesDataset

from lcvision.registry import DATASETS


@DATASETS.register_module()
class CityscapesLabelIdsDataset(CityscapesDataset):
    """mmseg's ``CityscapesDataset`` on ``*_gtFine_labelIds.png``, the ids 0..33 that the data set is shipped with.

    The loading transform maps them to the 19 training classes, the 15 others to 255, so that the masks
    ``*_gtFine_labelTrainIds.png`` need not be made first.

    Args:
        seg_map_suffix: End of a mask's name, instead of the end of the image's.
        metainfo: As for mmseg's datasets; the classes are the 19, or some of them.
        kwargs: What mmseg's ``CityscapesDataset`` takes.

    Source: labels.py of cityscapesScripts.
    """

    # In the order of the ids, which is how mmseg learns what a value in a file means.
    METAINFO = dict(classes=(
        'unlabeled', 'ego vehicle', 'rectification border', 'out of roi', 'static', 'dynamic', 'ground', 'road',
        'sidewalk', 'parking', 'rail track', 'building', 'wall', 'fence', 'guard rail', 'bridge', 'tunnel', 'pole',
        'polegroup', 'traffic light', 'traffic sign', 'vegetation', 'terrain', 'sky', 'person', 'rider', 'car',
        'truck', 'bus', 'caravan', 'trailer', 'train', 'motorcycle', 'bicycle'))

    def __init__(self, seg_map_suffix: str = '_gtFine_labelIds.png', metainfo: dict | None = None, **kwargs) -> None:
        super().__init__(seg_map_suffix=seg_map_suffix, metainfo={**CityscapesDataset.METAINFO, **(metainfo or {})},
                         **kwargs)
