"""The lines of Dockerfile and compose.yaml, carried out without a container engine: `make image`."""
