"""Sample data of every task, rendered on first use instead of downloaded."""
