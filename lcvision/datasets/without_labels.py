"""A classification data set whose labels are ignored, with further images that have none."""
from pathlib import Path

from mmengine.dataset import ConcatDataset
from mmengine.registry import DATASETS as ROOT_DATASETS

from lcvision.datasets.sources.config_edits import innermost
from lcvision.errors import UserError
from lcvision.image_file import EXTENSIONS
from lcvision.registry import DATASETS


@DATASETS.register_module()
class WithoutLabels(ConcatDataset):
    """The images of a data set, then those of a folder, all without labels.

    mmpretrain cannot batch samples of which some have a label; here none has.

    Args:
        dataset: Config of a classification data set; its pipeline serves the folder, too.
        folder: Folder of unlabelled images at any depth; None for no more images.
        lazy_init: Whether to list the images later.
    """

    def __init__(self, dataset: dict, folder: str | None = None, lazy_init: bool = False):
        datasets = [ROOT_DATASETS.build(dataset)]
        if folder:
            if not Path(folder).is_dir():
                raise UserError(f'there is no folder {folder} of unlabelled images: give one that exists, or '
                                'folder=None')
            if not any(path.suffix.lower() in EXTENSIONS for path in Path(folder).rglob('*')):
                raise UserError(f'the folder {folder} has no unlabelled image in it ({", ".join(EXTENSIONS)}), at any '
                                'depth: put images there, or give folder=None')
            # Classes have to agree in a ConcatDataset; without labels nobody reads them.
            datasets.append(ROOT_DATASETS.build(dict(
                type='mmpretrain.CustomDataset', data_prefix=str(folder), with_label=False, extensions=EXTENSIONS,
                pipeline=innermost(dataset).get('pipeline', ()), metainfo=datasets[0].metainfo)))
        super().__init__(datasets, lazy_init)

    def __getitem__(self, idx: int) -> dict:
        """One sample, packed as the pipeline packs it, without its label."""
        sample = super().__getitem__(idx)
        sample['data_samples'].pop('gt_label', None)
        return sample
