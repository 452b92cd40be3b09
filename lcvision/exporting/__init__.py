"""From a checkpoint to files that were verified and measured."""
