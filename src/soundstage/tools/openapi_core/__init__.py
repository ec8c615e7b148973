"""The independent validator: openapi-core validates recorded exchanges."""
