"""Spacecraft particle instruments: every orbit's spectrograms, right in energy and time."""
