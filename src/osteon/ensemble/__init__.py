"""Cohorts: many patients in chunks, computed here or on a cluster, kept in a folder that can be resumed."""
