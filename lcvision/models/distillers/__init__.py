"""Models that learn from other models."""
