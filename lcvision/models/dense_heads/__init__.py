"""Heads of the PicoDet generations."""
