"""What training and evaluation share: schedule, launch, the newest run."""
