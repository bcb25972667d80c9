"""The xAPI resources: the endpoint, requests, statements and documents."""
