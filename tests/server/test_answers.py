"""What the routes answer, over a real connection."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from swiftseg.inference import Segmenter
from tests.support.coco_masks import decoded
from tests.support.command_line import run_cli
from tests.support.exported import SHADES, shade_spec, write_shade_model
from tests.support.served import serving


def _label_map(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_labels_are_the_bytes_that_predict_writes(
    client: httpx.Client,
    model: Path,
    picture: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    turned = Image.open(io.BytesIO(picture))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    (tmp_path / "plain.jpg").write_bytes(picture)
    turned.save(tmp_path / "picture.webp", lossless=True)
    turned.convert("L").save(tmp_path / "gray.tif")
    files = sorted(tmp_path.iterdir())
    outcome = run_cli(
        capsys, "predict", *files, "--model", model, "--out", tmp_path / "out", "--save", "labels"
    )
    assert outcome.code == 0
    for file in files:
        response = client.post("/v1/segment", content=file.read_bytes())
        assert response.headers["content-type"] == "image/png"
        assert response.content == (tmp_path / "out/labels" / f"{file.stem}.png").read_bytes()


def test_probabilities_are_the_bytes_that_predict_writes(
    client: httpx.Client,
    model: Path,
    picture: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "plain.jpg"
    file.write_bytes(picture)
    run_cli(capsys, "predict", file, "--model", model, "--out", tmp_path / "out", "--save", "probs")
    response = client.post("/v1/segment?as=probs", content=picture)
    assert response.content == (tmp_path / "out/probs/plain.npy").read_bytes()


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "image/png"),
        ("image/*", "image/png"),
        ("image/jpeg", "image/jpeg"),
        ("text/html, application/json;q=0.5, image/jpeg;q=0.9", "image/jpeg"),
        ("image/png;q=0, image/*", "image/jpeg"),
        ("application/json", "application/json"),
        ("application/x-npy", "application/x-npy"),
    ],
)
def test_the_format_is_negotiated(
    client: httpx.Client, picture: bytes, accept: str, media_type: str
) -> None:
    response = client.post("/v1/segment", content=picture, headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type


def test_a_format_that_nobody_makes_is_refused(client: httpx.Client, picture: bytes) -> None:
    response = client.post("/v1/segment", content=picture, headers={"Accept": "text/html"})
    assert response.status_code == 406
    assert response.headers["content-type"] == "application/problem+json"
    assert "image/png" in response.json()["detail"]


def test_overlays_are_the_segmenters(
    client: httpx.Client, segmenter: Segmenter, picture: bytes
) -> None:
    response = client.post("/v1/segment?as=overlay-png&alpha=0.25", content=picture)
    expected = segmenter(np.asarray(Image.open(io.BytesIO(picture)))).overlay(0.25)
    np.testing.assert_array_equal(_label_map(response.content), expected)


@pytest.mark.parametrize("outlines", ["rle", "polygons"])
def test_json_holds_shares_timings_and_outlines(
    client: httpx.Client, picture: bytes, outlines: str
) -> None:
    label_map = _label_map(client.post("/v1/segment", content=picture).content)
    answer = client.post(f"/v1/segment?as=json&outlines={outlines}", content=picture).json()
    assert (answer["height"], answer["width"]) == label_map.shape
    assert [entry["name"] for entry in answer["classes"]] == list(SHADES.names)
    for entry in answer["classes"]:
        assert entry["share"] == pytest.approx(np.mean(label_map == entry["id"]))
    assert set(answer["timings_ms"]) >= {"read", "network"}
    for annotation in answer["annotations"]:
        mask = label_map == annotation["category_id"]
        np.testing.assert_array_equal(decoded(annotation["segmentation"], label_map.shape), mask)
        assert annotation["area"] == mask.sum()


def test_a_multipart_file_is_answered_as_a_raw_body_is(
    client: httpx.Client, picture: bytes
) -> None:
    raw = client.post("/v1/segment", content=picture)
    parts = {"note": (None, "no file"), "picture": ("../../etc/passwd", picture, "image/jpeg")}
    assert client.post("/v1/segment", files=parts).content == raw.content


def test_a_bad_picture_of_a_batch_costs_itself_alone(client: httpx.Client, picture: bytes) -> None:
    files = [("p", ("good.jpg", picture)), ("p", ("bad.jpg", b"text")), ("p", ("again", picture))]
    labels = client.post("/v1/segment", content=picture).content
    results = client.post("/v1/segment/batch", files=files).json()["results"]
    assert [(r["name"], r["status"]) for r in results] == [
        ("good.jpg", 200),
        ("bad.jpg", 415),
        ("again", 200),
    ]
    assert results[0]["answer"]["classes"][0]["name"] == "dark"
    response = client.post("/v1/segment/batch?as=labels", files=files)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.namelist() == ["0000.png", "0002.png", "results.json"]
        assert archive.read("0002.png") == labels
        assert json.loads(archive.read("results.json"))["results"][2]["file"] == "0002.png"


def test_models_are_listed_and_the_rest_is_told_of(client: httpx.Client) -> None:
    [described] = client.get("/v1/models").json()["models"]
    assert described["name"] == "shades"
    assert described["input"]["size_hw"] == [12, 16]
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready", "models": ["shades"]}
    unknown = client.post("/v1/segment?model=shade", content=b"x")
    assert unknown.status_code == 404
    assert "did you mean shades" in unknown.json()["detail"]


def test_several_models_are_asked_by_name(
    segmenter: Segmenter, picture: bytes, tmp_path: Path
) -> None:
    spec = replace(shade_spec((6, 8)), name="small")
    path = tmp_path / "small.onnx"
    write_shade_model(path, size_hw=(6, 8), metadata={"swiftseg": spec.to_json()})
    with serving(segmenter, Segmenter.load(path, threads=1)) as address:
        for query, name in (("", "shades"), ("&model=shades", "shades"), ("&model=small", "small")):
            response = httpx.post(f"{address}/v1/segment?as=json{query}", content=picture)
            assert response.json()["model"] == name


def test_metrics_count_requests_and_times(client: httpx.Client, picture: bytes) -> None:
    def value(line: str) -> float:
        found = [text for text in client.get("/metrics").text.splitlines() if text.startswith(line)]
        return float(found[0].split()[-1]) if found else 0.0

    requests = 'swiftseg_requests_total{path="/v1/segment",status="200"}'
    networks = 'swiftseg_stage_seconds_count{model="shades",stage="network"}'
    before = value(requests), value(networks)
    client.post("/v1/segment", content=picture)
    assert (value(requests), value(networks)) == (before[0] + 1, before[1] + 1)
    assert value("swiftseg_in_flight") == 0


def test_the_page_says_what_is_missing_where_it_was_not_built(client: httpx.Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert "node" in response.text
