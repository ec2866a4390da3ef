"""What the service costs, as ratios to references of the same minute: `make bench`."""
