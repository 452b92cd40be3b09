"""Segmentors: backbone and decode head, and how their maps become labels."""
from lcvision.models.segmentors.lean_encoder_decoder import LeanEncoderDecoder

__all__ = ['LeanEncoderDecoder']
