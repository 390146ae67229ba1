"""Pretreatment: steps as data, and the mathematics of each in a file of its own."""
