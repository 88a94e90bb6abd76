"""The same model behind plain FastAPI: a lock while the model runs, which runs on all cores.

python benchmarks/serving_locked.py MODEL PORT
"""

import io
import sys
import threading

import numpy as np
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from PIL import Image

from swiftseg.inference import Segmenter
from swiftseg.render import label_map_png

app = FastAPI()
lock = threading.Lock()


def locked(segmenter: Segmenter, data: bytes) -> bytes:
    """Segments one picture at a time."""
    with lock:
        result = segmenter(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
        return label_map_png(result.label_map, result.labels)


@app.post("/v1/segment")
async def segment(request: Request) -> Response:
    """Answers a raw picture."""
    body = await request.body()
    content = await run_in_threadpool(locked, request.app.state.segmenter, body)
    return Response(content, media_type="image/png")


if __name__ == "__main__":
    app.state.segmenter = Segmenter.load(sys.argv[1])
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
