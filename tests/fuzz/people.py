"""The variables that tell the hooks whom they speak for."""

SERVICE = "FUZZED_SERVICE"
PEOPLE = "FUZZED_PEOPLE"
