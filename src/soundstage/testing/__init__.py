"""What testers use: checks and judges."""
