"""Other mock servers made from OpenAPI documents; npm installs them."""
