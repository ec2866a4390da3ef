"""The pages of `docs/` carried out: their programs and configurations run as printed."""
