"""Transistor and 2D-material chips: from raw files to histories, metrics and figures."""
