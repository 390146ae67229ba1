"""Rigid bodies and eyes, fitted to the trajectories of markers."""
