"""What is in a folder of data, in whatever layout, what is wrong with it, and a repaired copy."""
