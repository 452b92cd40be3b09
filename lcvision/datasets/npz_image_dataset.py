"""A classification data set that is one ``.npz`` file of encoded images."""
from collections.abc import Sequence

from mmpretrain.datasets import BaseDataset

from lcvision.datasets.npz_images import open_npz
from lcvision.registry import DATASETS


@DATASETS.register_module()
class NpzImageDataset(BaseDataset):
    """One split of an ``.npz`` file of encoded images.

    The file is read once, into memory that forked workers share; an image is decoded when the pipeline loads it, by
    ``lcvision.LoadAnyImage`` from its ``img_path``.

    Args:
        data_file: The file, see :class:`lcvision.datasets.npz_images.NpzImages`.
        split: Which of its splits: 'train', 'test' or 'val'.
        pipeline: Steps that every sample goes through.
        kwargs: What mmpretrain's ``BaseDataset`` takes: metainfo, data_root, indices, test_mode, lazy_init, ...

    Raises:
        UserError: The file is missing, torn or of another layout, or has no such split.
    """

    def __init__(self, data_file: str, split: str = 'train', pipeline: Sequence = (), **kwargs) -> None:
        self.split = split
        super().__init__(ann_file=str(data_file), pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Lists the address and the label of every image."""
        images = open_npz(self.ann_file)
        self._metainfo.setdefault('classes', images.classes)
        return [dict(img_path=images.address(self.split, index), gt_label=int(label))
                for index, label in enumerate(images.labels(self.split))]
