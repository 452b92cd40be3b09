"""From a model to something that runs: the bare network, its fused and exported forms, and the engines."""
