"""Every number that the three papers print, as data: one module for counts, one for accuracy and milliseconds."""
