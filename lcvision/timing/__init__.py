"""How long something takes on this CPU: the conditions of a measurement, rounds of samples, and what disturbed them."""
