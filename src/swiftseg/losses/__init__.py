"""Losses, and class weights, which need numpy alone."""
