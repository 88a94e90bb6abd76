# docker build -t swiftseg . && docker run --rm -p 127.0.0.1:8000:8000 --read-only --tmpfs /tmp swiftseg
#
# Models to serve stand behind the image's name: docker run ... swiftseg enet-camvid /models/mine.onnx

FROM node:22-bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev python3-pip python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# A wheel is also built without the page or the kernels where their tools fail; no image is.
RUN python3 -m venv /build \
    && /build/bin/pip install --no-cache-dir 'hatchling>=1.27' \
    && /build/bin/python -m hatchling build -t wheel -d /wheels \
    && python3 -m zipfile -l /wheels/*.whl > /wheel.txt \
    && grep -q web/page/index.html /wheel.txt && grep -q libswiftseg.so /wheel.txt

FROM python:3.12-slim
COPY --from=build /wheels /wheels
COPY constraints.txt /wheels/
RUN pip install --no-cache-dir -c /wheels/constraints.txt "$(ls /wheels/*.whl)[serve]" \
    && rm -rf /wheels \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin swiftseg
USER 10001
EXPOSE 8000
# SWIFTSEG_API_KEY asks for a key; set it wherever others can reach the port.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["swiftseg", "serve", "--host", "0.0.0.0"]
