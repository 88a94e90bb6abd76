"""What is computed on arrays here: frames resized, scores turned into labels."""
