"""The server keeps to what its OpenAPI description says."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.served import serving_process


def test_the_description_names_every_route(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {
        "/v1/models",
        "/v1/segment",
        "/v1/segment/batch",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    answers = described["paths"]["/v1/segment"]["post"]["responses"]
    assert {"200", "401", "413", "415", "422", "429", "503"} <= set(answers)
    assert "Retry-After" in answers["429"]["headers"]
    assert "example" in answers["200"]["content"]["application/json"]


@pytest.mark.slow
def test_schemathesis_finds_no_undocumented_answer(model: Path, tmp_path: Path) -> None:
    # In processes of their own: ONNX Runtime sets this one's floats so that Hypothesis refuses.
    with serving_process(model) as (_, address):
        checks = "not_a_server_error,status_code_conformance,content_type_conformance,"
        checks += "response_headers_conformance,response_schema_conformance"
        options = ["--checks", checks, "--max-examples", "100", "--seed", "1"]
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
