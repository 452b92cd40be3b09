"""Assignment of targets and selection of boxes."""
