"""Many pictures and videos: what `swiftseg predict` does, importable."""

from swiftseg.prediction.outputs import Outputs, Prediction, Run
from swiftseg.prediction.predict import predict_all, predict_images, predict_video

__all__ = ["Outputs", "Prediction", "Run", "predict_all", "predict_images", "predict_video"]
