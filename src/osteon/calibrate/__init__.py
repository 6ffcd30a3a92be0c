"""Calibration: free parameters with priors, fitted to published medians, as draws that carry their uncertainty."""
