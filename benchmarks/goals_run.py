"""What the goals are judged by: networks, the ways they run, their times and their labels."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import plain_torch
import torch
from PIL import Image
from speed_script import (
    ENGINE,
    Options,
    SizeHw,
    eager_frames,
    exported,
    find,
    measure,
)
from torchvision import transforms

from swiftseg.benchmarking import torch_networks
from swiftseg.benchmarking.benchmark_report import Measurement
from swiftseg.benchmarking.engine import label_map_of
from swiftseg.benchmarking.measure import Candidate, engine_candidate
from swiftseg.benchmarking.timing import repeat
from swiftseg.core.fresh_process import run_in_process
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.images.image_file import read_image
from swiftseg.data.toy_street import ToyStreet
from swiftseg.kernels.resize import resize_frame
from swiftseg.runtimes import read_spec
from swiftseg.runtimes.selection import choose_backend
from swiftseg.weights import shipped_models, shipped_weights

FAST_SCNN_HW, ENET_HW, SEGFAST_HW = (1024, 2048), (360, 640), (224, 224)
NUM_CLASSES = 19  # of random weights
USER = "pillow, torchvision, torch, pillow"
F32_ENGINES = (ENGINE, "openvino")
AUTO = "auto"
EQUAL_LABELS = {True: 0.9999, False: 0.995}  # at least, of torch's: in float32, and below it
WITH_AUTO = ("fast_scnn", "enet", "segfast")
CALIBRATION_FRAMES = 16  # on which `--precision auto` compares labels


@dataclass(frozen=True)
class Subject:
    """A network at a size.

    Attributes:
        weights: As `torch_networks.build` takes it: shipped weights' name, or the network's,
            which has random ones.
        size_hw: The frame's, and the network's.
        num_classes: Of random weights.
    """

    weights: str
    size_hw: SizeHw
    num_classes: int

    @property
    def arguments(self) -> dict[str, Any]:
        """What `torch_networks.build` takes."""
        return {"model": self.weights, "size_hw": self.size_hw, "num_classes": self.num_classes}


@dataclass(frozen=True)
class Way:
    """An engine and what it computes in, and what the two are called."""

    name: str
    backend: str
    precision: str


@dataclass(frozen=True)
class Found:
    """What was measured.

    Attributes:
        named: The subjects, by network.
        ways: Their ways, by network; `auto` comes last.
        measurements: All of them.
        equal: By network and way, which part of the labels equals plain torch's, 0..1.
    """

    named: Mapping[str, Subject]
    ways: Mapping[str, Sequence[Way]]
    measurements: Sequence[Measurement]
    equal: Mapping[tuple[str, str], float]

    def of(self, network: str, way: str) -> Measurement:
        """Finds the measurement of a network in one way."""
        subject = self.named[network]
        return find(self.measurements, subject.weights, way, subject.size_hw)

    def f32(self, network: str) -> Measurement:
        """Finds the faster engine's in float32, from frame to labels."""
        return min(
            (self.of(network, engine) for engine in F32_ENGINES), key=lambda m: m.total_ms.p50_ms
        )

    def auto(self, network: str) -> Measurement:
        """Finds that of the engine and the precision that `auto` has chosen."""
        return self.of(network, self.ways[network][-1].name)

    def keeps_labels(self, network: str, ours: Measurement) -> bool:
        """Tells whether the labels are torch's, as far as the precision is asked to."""
        return self.equal[network, ours.way] >= EQUAL_LABELS[ours.precision == "f32"]

    def note(self, network: str, ours: Measurement) -> str:
        """Tells engine, weights and labels."""
        weights = self.named[network].weights
        equal = self.equal[network, ours.way]
        told = "random weights" if ours.weights == "random" else f"weights {weights}"
        return f"{ours.way} {ours.precision}, {told}, {equal:.4%} of torch's labels"


def users_way(
    model: str,
    size_hw: list[int],
    num_classes: int,
    image: str,
    threads: int,
    seconds: float,
) -> dict[str, Any]:
    """Measures what a user writes today, from a JPEG to its overlay."""
    torch.set_num_threads(threads)
    network, spec = torch_networks.build(model, size_hw, num_classes)
    palette = spec.labels.colors.tobytes()
    norm = transforms.Normalize(spec.input.mean, spec.input.std)
    normalized: Any = transforms.Compose([transforms.ToTensor(), norm])

    def to_overlay() -> dict[str, float]:
        times = [perf_counter()]
        picture = Image.open(image).convert("RGB")
        times.append(perf_counter())
        batch = normalized(picture).unsqueeze(0)
        times.append(perf_counter())
        with torch.no_grad():
            logits = network(batch)
        times.append(perf_counter())
        labels = logits.argmax(1)[0].byte().numpy()
        times.append(perf_counter())
        colors = Image.fromarray(labels)
        colors.putpalette(palette)
        np.asarray(Image.blend(picture, colors.convert("RGB"), 0.5))
        times.append(perf_counter())
        stages = ("read", "normalize", "network", "argmax", "color")
        return dict(zip(stages, 1000 * np.diff(times), strict=True))

    repeats = repeat(to_overlay, seconds=seconds)
    return {
        "total_ms": [sum(map(float, one.values())) for one in repeats],
        "stages_ms": {stage: [float(one[stage]) for one in repeats] for stage in repeats[0]},
    }


def torch_label_map(model: str, size_hw: list[int], num_classes: int, image: str, out: str) -> None:
    """Writes the label map that plain torch gives, as a .npy file."""
    network, spec = torch_networks.build(model, size_hw, num_classes)
    np.save(out, plain_torch.plain_labels(network, spec.input, read_image(image)))


def shipped_or_random(network: str) -> str:
    """Return the name of weights that are shipped for a network, or the network's own."""
    trained = (
        name
        for name in shipped_weights()
        if name in shipped_models() and read_spec(shipped_models()[name]).network == network
    )
    return next(trained, network)


def subjects(options: Options) -> dict[str, Subject]:
    """Return what is measured, by network."""
    segfast_hw = options.size_hw(*SEGFAST_HW)
    return {
        "fast_scnn": Subject(
            shipped_or_random("fast_scnn"), options.size_hw(*FAST_SCNN_HW), NUM_CLASSES
        ),
        "enet": Subject(shipped_or_random("enet"), options.size_hw(*ENET_HW), NUM_CLASSES),
        "segfast": Subject(shipped_or_random("segfast"), segfast_hw, NUM_CLASSES),
        "segnet": Subject("segnet", segfast_hw, NUM_CLASSES),
        "fcn8s": Subject("fcn8s", segfast_hw, NUM_CLASSES),
    }


def scenes(folder: Path | None, size_hw: SizeHw) -> list[np.ndarray]:
    """Return the frames for `auto`, and one more; uint8 (*size_hw, 3).

    They are those of a folder, from all over it, or drawn.
    """
    count = CALIBRATION_FRAMES + 1
    if folder is None:
        return [sample.image for sample in ToyStreet("test", count, size_hw)]
    paths = sorted(path for path in folder.iterdir() if path.suffix in IMAGE_SUFFIXES)
    chosen = [paths[index * len(paths) // count] for index in range(count)]
    return [resize_frame(read_image(path), size_hw) for path in chosen]


def engine_ways(
    network: str, file: Path, frames: Sequence[np.ndarray], threads: int
) -> tuple[Way, ...]:
    """Return the float32 engines, and what `auto` chooses of engines and precisions."""
    ways = tuple(Way(engine, engine, "f32") for engine in F32_ENGINES)
    if network not in WITH_AUTO:
        return ways
    choice = choose_backend(file, backend=AUTO, precision=AUTO, threads=threads, frames=frames)
    return (*ways, Way(f"{AUTO}: {choice.backend}", choice.backend, choice.precision))


def torch_candidates(named: Mapping[str, Subject]) -> list[Candidate]:
    """Return the user's way, and plain torch from frame to labels."""
    fast_scnn = named["fast_scnn"]
    told = {"name": fast_scnn.weights, "way": USER, "scope": "file to overlay"}
    told |= {"size_hw": fast_scnn.size_hw, "num_classes": fast_scnn.num_classes}
    eager = [
        eager_frames(one.weights, one.size_hw, one.num_classes)
        for one in (named["enet"], named["segfast"])
    ]
    return [Candidate(users_way, fast_scnn.arguments, told), *eager]


def engine_candidates(
    file: Path, describes: dict[str, Any], ways: Sequence[Way]
) -> list[Candidate]:
    """Return an exported file in each way."""
    return [
        engine_candidate(
            file,
            backend=way.backend,
            precision=way.precision,
            describes={**describes, "way": way.name},
        )
        for way in ways
    ]


def equal_labels(
    file: Path, subject: Subject, frame: np.ndarray, ways: Sequence[Way], threads: int
) -> list[float]:
    """Return the part of a frame's labels that equal plain torch's, 0..1, by way."""
    image = str(file.with_suffix(".png"))
    Image.fromarray(frame).save(image)
    known, own = file.with_suffix(".torch.npy"), file.with_suffix(".own.npy")
    run_in_process(torch_label_map, image=image, out=str(known), **subject.arguments)
    shares: list[float] = []
    for way in ways:
        arguments = {"backend": way.backend, "precision": way.precision, "threads": threads}
        run_in_process(label_map_of, model=str(file), image=image, out=str(own), **arguments)
        shares.append(float((np.load(own) == np.load(known)).mean()))
    return shares


def measure_all(options: Options) -> Found:
    """Exports, measures, and compares labels."""
    named = subjects(options)
    ways: dict[str, tuple[Way, ...]] = {}
    equal: dict[tuple[str, str], float] = {}
    candidates = torch_candidates(named)
    with tempfile.TemporaryDirectory() as folder:
        for network, one in named.items():
            file = Path(folder) / f"{network}.onnx"
            describes = exported(one.weights, one.size_hw, one.num_classes, file)
            *frames, unseen = scenes(options.frames, one.size_hw)
            ways[network] = engine_ways(network, file, frames, options.threads)
            candidates += engine_candidates(file, {**describes, "name": one.weights}, ways[network])
            shares = equal_labels(file, one, unseen, ways[network], options.threads)
            names = (way.name for way in ways[network])
            equal |= {(network, name): share for name, share in zip(names, shares, strict=True)}
        return Found(named, ways, measure(options, candidates), equal)
