"""The same model behind LitServe: one worker process a core, one thread a worker.

    python benchmarks/serving_litserve.py MODEL PORT

Pictures come base64 in JSON, as its documentation has them; it reads no other raw body.
"""

import base64
import io
import os
import sys

import litserve  # pyright: ignore[reportMissingImports]
import numpy as np
from fastapi import Response
from PIL import Image

from swiftseg.inference import Segmenter
from swiftseg.render import label_map_png
from swiftseg.runtimes.cores import physical_cores

MODEL = "SERVED_MODEL"  # workers are new processes: the environment tells them


class Segment(litserve.LitAPI):
    """Labels a picture."""

    def setup(self, device: str) -> None:
        """Loads the model."""
        del device
        self.segmenter = Segmenter.load(os.environ[MODEL], threads=1)

    def decode_request(self, request: dict[str, str]) -> np.ndarray:
        """Reads the picture."""
        data = base64.b64decode(request["picture"])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def predict(self, image: np.ndarray) -> bytes:
        """Segments it."""
        result = self.segmenter(image)
        return label_map_png(result.label_map, result.labels)

    def encode_response(self, content: bytes) -> Response:
        """Writes the answer."""
        return Response(content, media_type="image/png")


if __name__ == "__main__":
    os.environ[MODEL] = sys.argv[1]
    server = litserve.LitServer(
        Segment(api_path="/v1/segment"), accelerator="cpu", workers_per_device=physical_cores()
    )
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning"
    )
