"""Each API: its handlers, its refusals, its ids and times."""
