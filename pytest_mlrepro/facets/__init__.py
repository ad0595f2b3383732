"""The seven facets, one room each."""
