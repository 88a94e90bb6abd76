"""HTTP in front of segmenters: admission, limits and formats; the model's part is `Segmenter`."""
