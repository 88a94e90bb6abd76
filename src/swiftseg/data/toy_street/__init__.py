"""The toy street: rendered street scenes with exact masks, in CamVid's 11 classes.

A small world of meters (houses, trees, poles, signs, fences, cars, people) is drawn from a seed
and seen through a pinhole camera that drives down the road. Each stroke writes a pixel's color and
its class at once, so the masks are exact. Blur and noise come last and touch the image alone.
"""

from swiftseg.data.toy_street.scenes import ToyStreet, render_clip

__all__ = ["ToyStreet", "render_clip"]
