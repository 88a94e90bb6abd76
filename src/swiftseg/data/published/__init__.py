"""The papers' data sets, read where they lie."""
