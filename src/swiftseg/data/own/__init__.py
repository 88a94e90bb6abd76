"""A user's own data: folders, lists of pairs, a dataset YAML, and what masks there mean."""
