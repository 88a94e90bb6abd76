"""How much a single input may ask for; beyond it, it is refused in one line.

A file of a few kilobytes can claim all memory or run for hours. docs/reliability.md states these
budgets for users.
"""

MAX_PIXELS = 100_000_000  # of a picture: 300 MB as RGB
MAX_ROWS = 20_000_000  # of a picture: each takes 16 bytes beside its pixels
MAX_OVERLAY_SIDE = 60_000  # a JPEG has 65,535 pixels a side at most, and the legend is beside
LARGE_PIXELS = 12_500_000  # pictures from here on are worked on one at a time
MAX_VIDEO_PIXELS = 36_000_000  # of a video's frame: 8K has 33 million
MAX_NAME_LENGTH = 256  # of a class, a model: they travel in every answer and legend
MAX_PROBABILITIES = 150_000_000  # classes x pixels that are saved as probabilities

MAX_JPEG_SCANS = 100  # progressive files have about ten
MAX_JPEG_WORK = 2_000_000_000  # scans x pixels

MAX_ARRAY_BYTES = 1 << 28  # of the arrays in a mask's file: a mask of full HD has 2^24 as doubles

MAX_BANDS = 4096  # of a picture: instruments with the most have a thousand
MAX_BAND_BYTES = 1 << 30  # of a picture's bands, decoded at once

MAX_YAML_CHARACTERS, MAX_YAML_VALUES, MAX_YAML_DEPTH = 1_000_000, 100_000, 50
