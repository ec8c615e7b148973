"""What happens: time and state; knows no HTTP and no OpenAPI."""
