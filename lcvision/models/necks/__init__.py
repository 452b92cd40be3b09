"""Necks of the PicoDet generations."""
