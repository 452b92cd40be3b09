"""Images and masks that lie in two folders under the same names."""
from pathlib import Path

from mmseg.datasets import BaseSegDataset

from lcvision.datasets.mask_folder import pair_up
from lcvision.registry import DATASETS


@DATASETS.register_module()
class MaskFolderDataset(BaseSegDataset):
    """A segmentation data set of a folder of images and a folder of masks, of any endings.

    Masks hold class indices, with or without a colour table, or the classes' colours.

    Args:
        part: 'val' takes every fifth image, 'train' the others, None all.
        by_colour: Whether masks of three channels hold the colours of the palette in ``metainfo``.
        ignored_colours: RGB colours of what does not count, besides.
        kwargs: What mmseg's ``BaseSegDataset`` takes: ``data_prefix`` with the folders ``img_path`` and
            ``seg_map_path``, ``metainfo`` with ``classes`` and ``palette``.

    Raises:
        ValueError: ``part`` is another.

    Differs: mmseg's wants one ending for all images and one for all masks, and knows no masks of colours.
    """

    def __init__(self, part: str | None = None, by_colour: bool = False, ignored_colours: list | tuple = (),
                 **kwargs) -> None:
        if part not in (None, 'train', 'val'):
            raise ValueError(f"MaskFolderDataset: part must be None, 'train' or 'val', got {part!r}.")
        self.part = part
        self.by_colour = by_colour
        self.ignored_colours = ignored_colours
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        """Lists images and masks, with what the loading transform has to know of the masks."""
        colours = None
        if self.by_colour:
            colours = {tuple(colour): self.ignore_index for colour in self.ignored_colours}
            colours |= {tuple(colour): index for index, colour in enumerate(self.metainfo['palette'])}
        folders = Path(self.data_prefix['img_path']), Path(self.data_prefix['seg_map_path'])
        return [dict(img_path=str(image), seg_map_path=str(mask), label_map=self.label_map, mask_colours=colours,
                     reduce_zero_label=self.reduce_zero_label, seg_fields=[])
                for image, mask in pair_up(*folders, self.part)]
