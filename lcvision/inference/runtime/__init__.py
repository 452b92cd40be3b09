"""Exported files in numpy and cv2, without torch."""
