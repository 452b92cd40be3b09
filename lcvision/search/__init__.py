"""Network Candidate Search, and sweeps: many trainings at equal settings, of which some are stopped early."""
