"""Many pictures and videos: what `swiftseg predict` does, importable."""
