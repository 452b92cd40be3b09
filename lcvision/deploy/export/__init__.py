"""A network as a file that others run: its graph, what a runtime must know beside it, and the formats."""
