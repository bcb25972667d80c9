"""The description of every address of the product, as an OpenAPI document and as a page."""
