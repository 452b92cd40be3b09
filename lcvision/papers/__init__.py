"""Every number that the three papers print, as data."""
