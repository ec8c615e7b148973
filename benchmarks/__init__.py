"""What a request, a start, a world and a test cost, beside floors of the same run."""
