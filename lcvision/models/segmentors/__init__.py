"""Segmentors: backbone and decode head, and how their maps become labels."""
