"""Pictures of what a model found, drawn with cv2."""
from lcvision.visualization.classification import ClassificationPainter, ClassificationScene
from lcvision.visualization.detection import DetectionPainter, DetectionScene
from lcvision.visualization.grid import contact_sheet, tile_sizes
from lcvision.visualization.ground_truth import annotations_are_resized
from lcvision.visualization.painter import Painter
from lcvision.visualization.painter_choice import painter_for
from lcvision.visualization.palette import class_colours
from lcvision.visualization.picture_folder import PictureFolder
from lcvision.visualization.segmentation import SegmentationPainter, SegmentationScene
from lcvision.visualization.style import Style

__all__ = ['ClassificationPainter', 'ClassificationScene', 'DetectionPainter', 'DetectionScene', 'Painter',
           'PictureFolder', 'SegmentationPainter', 'SegmentationScene', 'Style', 'annotations_are_resized',
           'class_colours', 'contact_sheet', 'painter_for', 'tile_sizes']
