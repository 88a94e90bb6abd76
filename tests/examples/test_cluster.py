"""The manifests for clusters: no API server reads them here, so their structure is checked.

KubeRay's own schema is not in any package; the fields below are those of its RayJob (ray.io/v1)
that the manifest uses, and what the controller requires. A misspelled field is found so.
"""

import re
import shlex
import subprocess
from pathlib import Path

import typer
import yaml

from swiftseg.cli.main import app

FOLDER = Path(__file__).parents[2] / "examples/cluster"

SPEC = {
    "entrypoint": str,
    "submissionMode": str,
    "backoffLimit": int,
    "shutdownAfterJobFinishes": bool,
    "ttlSecondsAfterFinished": int,
    "rayClusterSpec": dict,
}
CLUSTER = {"rayVersion": str, "headGroupSpec": dict, "workerGroupSpecs": list}
HEAD = {"rayStartParams": dict, "template": dict}
WORKERS = {**HEAD, "groupName": str, "replicas": int, "minReplicas": int, "maxReplicas": int}
CONTAINER = {
    "name": str,
    "image": str,
    "env": list,
    "envFrom": list,
    "resources": dict,
    "volumeMounts": list,
}


def check(fields, known, required=()):
    assert set(fields) <= set(known)
    assert set(required) <= set(fields)
    for name, value in fields.items():
        assert type(value) is known[name], name


def options_of(command):
    """The options of a line that runs `swiftseg label`, all of which must exist."""
    words = shlex.split(command)
    assert words[:2] == ["swiftseg", "label"]
    label = typer.main.get_command(app).commands["label"]
    known = {option for parameter in label.params for option in parameter.opts}
    options = [word for word in words[2:] if word.startswith("-")]
    assert set(options) <= known
    return options


def test_the_rayjob_has_the_structure_of_one():
    job = yaml.safe_load((FOLDER / "rayjob.yaml").read_text("utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert re.fullmatch(r"[a-z0-9-]{1,47}", job["metadata"]["name"])
    check(job["spec"], SPEC, ("entrypoint", "rayClusterSpec"))
    assert job["spec"]["submissionMode"] in ("K8sJobMode", "HTTPMode", "InteractiveMode")
    cluster = job["spec"]["rayClusterSpec"]
    check(cluster, CLUSTER, CLUSTER)
    check(cluster["headGroupSpec"], HEAD, ("template",))
    for group in cluster["workerGroupSpecs"]:
        check(group, WORKERS, ("groupName", "template"))
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        for container in pod["containers"]:
            check(container, CONTAINER, ("name", "image"))
            assert container["resources"]["requests"] == container["resources"]["limits"]
            mounted = {mount["name"] for mount in container.get("volumeMounts", ())}
            assert mounted == {volume["name"] for volume in pod.get("volumes", ())}


def test_the_rayjob_runs_the_command_with_the_ray_that_is_tested():
    spec = yaml.safe_load((FOLDER / "rayjob.yaml").read_text("utf-8"))["spec"]
    assert "--address" in options_of(spec["entrypoint"])
    pinned = (FOLDER.parents[1] / "constraints.txt").read_text("utf-8")
    assert f"ray=={spec['rayClusterSpec']['rayVersion']}\n" in pinned


def test_the_slurm_script_is_sound_and_runs_the_command():
    script = FOLDER / "label.slurm"
    subprocess.run(["bash", "-n", str(script)], check=True)
    [command] = [
        line for line in script.read_text("utf-8").splitlines() if line.startswith("swift")
    ]
    assert "--address" in options_of(command)
