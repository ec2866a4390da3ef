"""Input that nobody thought of: `make fuzz` over HTTP, `make fuzz-tokens` on the parsers themselves."""
