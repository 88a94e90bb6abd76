"""Labeling of sources of any size: a job with a manifest, which whoever schedules it can resume."""
