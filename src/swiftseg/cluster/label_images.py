"""A source of any size labeled into a target, by threads here or by Ray."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Literal

import numpy as np

from swiftseg.cluster.label_on_ray import RayStages, label_on_ray, label_through_client
from swiftseg.cluster.ray_session import cluster_gpus, is_client, ray_session
from swiftseg.cluster.remote_model import RemoteModel
from swiftseg.core import SwiftsegError, UsageError, known_name
from swiftseg.core.in_threads import in_threads
from swiftseg.core.progress import LateProgress
from swiftseg.inference import Segmenter
from swiftseg.inference.fitting import Fit
from swiftseg.labeling.inputs import list_inputs
from swiftseg.labeling.job import FORMS, SAVED, SHARDS, Form, Job, Saved, Settings, begin_job
from swiftseg.labeling.job_report import write_report
from swiftseg.labeling.model_files import read_model_files
from swiftseg.labeling.pieces import Receipt
from swiftseg.labeling.place import open_place, scheme_of, without_file_scheme
from swiftseg.labeling.results import Summary, write_results
from swiftseg.labeling.stages import ReadStage, SegmentStage
from swiftseg.labeling.writing import WriteStage, check_form
from swiftseg.runtimes.cores import physical_cores
from swiftseg.weights import DEFAULT_MODEL

JobEngine = Literal["ray", "local"]
JOB_ENGINES: tuple[JobEngine, ...] = ("ray", "local")
DEFAULT_BATCH = 64

_MEMORY = "memory"


def label_images(
    source: Path | str,
    *,
    out: Path | str,
    model: Path | str = DEFAULT_MODEL,
    engine: JobEngine = "ray",
    workers: int | None = None,
    address: str | None = None,
    save: Sequence[Saved] = ("labels",),
    form: Form = "png",
    column: str | None = None,
    batch: int = DEFAULT_BATCH,
    backend: str | None = None,
    precision: str = "f32",
    calibration: Path | str | Sequence[np.ndarray] | None = None,
    threads: int = 1,
    device: str | None = None,
    fit: Fit = "auto",
    report: bool = False,
) -> Summary:
    """Label everything that a source holds, and go on where an earlier start has ended.

    Args:
        source: A folder, glob, file, list (.txt) or table (.csv, .parquet), here or at any address
            that fsspec knows, such as `s3://bucket/folder`; videos are cut into ranges of frames.
        out: The target: a folder, or an address.
        model: What `Segmenter.load` takes.
        engine: `ray`, or `local` for threads of this process; the results are equal.
        workers: Engines that run at the same time; None takes as many as there are cores, or GPUs
            where they compute on these.
        address: Of a Ray cluster, `auto` or `ray://HOST:PORT`; None starts Ray on this machine.
        save: Any of `labels`, `overlay`, `probs` and `shares`.
        form: `png` for files in the source's tree, `parquet` for shards.
        column: Of a table, the column of paths or of images; None finds it.
        batch: Frames that are read, labeled and written together; a shard's rows.
        backend: As `Segmenter.load` takes it.
        precision: As `Segmenter.load` takes it.
        calibration: As `Segmenter.load` takes it.
        threads: Threads of one engine.
        device: As `Segmenter.load` takes it; this machine must have it too.
        fit: How images of other sizes are shown to the network.
        report: Whether report.html is written too, which takes probabilities.

    Returns:
        The sums over the job. An input that cannot be read does not stop it.

    Raises:
        UsageError: A name is unknown, or options do not go together.
        MissingExtraError: Ray, or what an address needs, is not installed.
        SwiftsegError: The source holds nothing, the target holds something else or cannot be
            written, the model cannot be run, or no cluster answers at the address.
    """
    source, out = without_file_scheme(str(source)), without_file_scheme(str(out))
    check_options(engine, address, source, out)
    kinds: tuple[Saved, ...] = tuple(
        known_name("output", kind, SAVED) for kind in dict.fromkeys(save)
    )
    check_form(known_name("format", form, FORMS))
    segmenter = Segmenter.load(
        model,
        backend=backend,
        precision=precision,
        calibration=calibration,
        threads=threads,
        device=device,
        fit=fit,
    )
    engine_of = segmenter.engine
    files = read_model_files(segmenter)
    place = open_place(out)
    results = [f"{place.address}/{name}" for name in (*SAVED, SHARDS, "job")]
    listed = list_inputs(source, column=column, frames=batch, leave_out=results)
    settings = _settings(segmenter, files.digest, kinds, form, batch)
    read = ReadStage(segmenter.spec.input, fit, keeps_frames="overlay" in kinds)
    of_model = partial(SegmentStage, keeps_probabilities="probs" in kinds, wants_confidence=report)
    write = WriteStage(place, settings, segmenter.spec.labels)
    summary = Summary(segmenter.spec.name, files.digest, engine, workers or physical_cores())
    with ExitStack() as stack:
        cpus = stack.enter_context(ray_session(address)) if engine == "ray" else 0.0
        job = begin_job(place, settings, listed)  # when all that may fail has not
        if engine == "local":
            segment = of_model(segmenter)
            # Engines, decoders and encoders let other threads run, so that these share the cores.
            work = in_threads(
                lambda piece: write(segment(read(piece))), job.pending, threads=summary.workers
            )
        else:
            opening = RemoteModel(files, engine_of, threads, fit)
            gpus = 0 if engine_of.device == "cpu" else int(cluster_gpus())
            summary.workers = workers or gpus or max(1, int(cpus) // threads)
            stages = RayStages(read, opening, of_model, write)
            run = label_through_client if is_client(address) else label_on_ray
            work = run(job.pending, stages, workers=summary.workers, cpus=cpus)
        _work_or_write(job, work, summary, threads)
    write_results(job, summary, threads=threads)
    if report:
        write_report(job, summary, segmenter, read)
    return summary


def check_options(engine: str, address: str | None, source: str, out: str) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: An address with `local`, or Ray with a place in the memory of this process.
    """
    known_name("engine", engine, JOB_ENGINES)
    if engine == "local" and address is not None:
        raise UsageError("--address names a Ray cluster, and --engine local uses none")
    if engine == "ray" and _MEMORY in (scheme_of(source), scheme_of(out)):
        raise UsageError(
            "memory:// is this process's own, and Ray's workers are others; take --engine local"
        )


def _settings(
    segmenter: Segmenter, digest: str, kinds: tuple[Saved, ...], form: Form, batch: int
) -> Settings:
    engine = segmenter.engine
    return Settings(
        segmenter.spec.name,
        digest,
        engine.backend,
        engine.precision,
        segmenter.fit,
        kinds,
        form,
        segmenter.spec.labels.names,
        engine.device,
        batch,
    )


def _work_or_write(job: Job, work: Iterator[Receipt], summary: Summary, threads: int) -> None:
    """Work through a job; where that fails, write the results so far and raise the error."""
    try:
        _work_through(job, work, summary)
    except SwiftsegError:
        with suppress(SwiftsegError):  # the target may be what has refused
            write_results(job, summary, threads=threads)
        raise


def _work_through(job: Job, work: Iterator[Receipt], summary: Summary) -> None:
    """Take receipts as they come and show how far the job is; Ctrl-C ends it well."""
    begin, failed = monotonic(), 0
    with LateProgress(f"labeling with {summary.model}") as progress:
        due = {piece.number: piece.num_frames for piece in job.pending}
        progress.expect(sum(due.values()))
        try:
            for receipt in work:
                job.done.add(receipt.piece)
                frames = sum(len(outcome.frames) for outcome in receipt.outcomes)
                failed += sum(not outcome.frames for outcome in receipt.outcomes)
                summary.run_frames += frames
                summary.run_s = monotonic() - begin
                summary.startup_s = summary.startup_s or summary.run_s
                note = f"{summary.frames_per_s:.1f} frames/s, {failed} failed"
                progress.advance(note, count=due[receipt.piece])
        except KeyboardInterrupt:
            summary.interrupted = True
    summary.run_s = monotonic() - begin
