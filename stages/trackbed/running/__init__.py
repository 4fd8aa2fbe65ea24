"""Runs of the pipeline: found in git and DVC, swept, compared and guarded."""
