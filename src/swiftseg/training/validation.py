"""Scoring the network of a stage as it stands, and keeping its weights where they are the best."""

import math
from dataclasses import replace

import numpy as np
import torch
from accelerate.utils import broadcast_object_list

from swiftseg.core import SwiftsegError
from swiftseg.data import Dataset
from swiftseg.evaluation import NATIVE, ScoringProtocol, evaluate
from swiftseg.inference import AveragingSegmenter, Segmenter
from swiftseg.kernels.bands import viewable
from swiftseg.recipes.recipe import Recipe
from swiftseg.render import colorize, overlay
from swiftseg.runs import RunFolder
from swiftseg.runs.history import Epoch, best_epoch, score_of
from swiftseg.runtimes.torch_backend import FrameGraph, TorchBackend
from swiftseg.trained.checkpoint import Checkpoint, model_spec, save_checkpoint
from swiftseg.training.batch_norm import reestimate_batch_norm
from swiftseg.training.frames import EpochFrames, TrainingFrames, batch_loader
from swiftseg.training.spread_samples import spread_samples
from swiftseg.training.stage import TINY, StageTraining
from swiftseg.training.stage_data import StageData

SAMPLE_FRAMES = 3


def validate(training: StageTraining, epoch: Epoch, data: StageData, run: RunFolder) -> Epoch:
    """Score the network in the first process; return the epoch with its scores in every process.

    Where it is the stage's best so far, its weights are kept.
    """
    if training.accelerator.is_main_process:
        epoch = _scored(training, epoch, data, run)
        if _is_best(training, epoch):
            state = training.state
            kept = Checkpoint(  # what evaluation and export need
                recipe=training.recipe,
                labels=training.labels,
                state=replace(state, history=[*state.history, epoch]),
                network=training.evaluated.state_dict(),
            )
            save_checkpoint(kept, run.stage_best(training.recipe, state.stage))
    [epoch] = broadcast_object_list([epoch])
    return epoch


def recipe_protocol(recipe: Recipe) -> ScoringProtocol:
    """Return the native protocol with the recipe's classes, in windows where it says so."""
    sliding = recipe.evaluation.sliding_windows
    return replace(NATIVE, void_as_class=recipe.void_as_class, sliding=sliding)


def _scored(training: StageTraining, epoch: Epoch, data: StageData, run: RunFolder) -> Epoch:
    recipe = training.recipe
    spec = model_spec(recipe, training.labels, training.state)
    device, protocol = training.accelerator.device, recipe_protocol(recipe)
    segmenter = Segmenter(TorchBackend(training.evaluated, spec, device=device))
    if recipe.reestimate_batch_norm:
        _reestimate_batch_norm(training, data)
    scores = evaluate(segmenter, data.val_set, protocol=protocol, show_progress=False).scores
    if math.isnan(scores.mean_iou):
        raise SwiftsegError(
            "all pixels of the validation frames are void; there is nothing to score a training by"
        )
    by_loss = recipe.best == "loss"
    rows = sample_pictures(protocol.segmenter(segmenter), data.val_set)
    run.write_samples(epoch.stage, epoch.epoch, rows)
    return replace(
        epoch,
        scored_on="val" if recipe.hold_out is None else "held_out",
        val_mean_iou=scores.mean_iou,
        val_mean_class_accuracy=scores.mean_class_accuracy,
        val_global_accuracy=scores.global_accuracy,
        val_loss=validation_loss(training, data.val_frames) if by_loss else None,
    )


def _is_best(training: StageTraining, epoch: Epoch) -> bool:
    best = training.recipe.best
    score, before = score_of(epoch, best), best_epoch(training.epochs, best)
    if score is None or before is None:
        return score is not None
    return score > (score_of(before, best) or 0.0)


def validation_loss(training: StageTraining, frames: TrainingFrames) -> float:
    """Return the mean loss of the logits over frames at network size."""
    device = training.accelerator.device
    input_spec = training.recipe.input.to_spec()
    graph = FrameGraph(training.evaluated, input_spec, "logits").to(device).eval()
    totals = torch.zeros((), device=device), torch.zeros((), device=device)
    with torch.no_grad():
        for image, mask in map(frames.__getitem__, range(len(frames))):
            logits = graph.logits(image[None].to(device))
            terms = training.criterion(logits, mask[None].to(device).long())
            totals = totals[0] + terms[0], totals[1] + terms[1]
    return float((totals[0] / totals[1].clamp_min(TINY)).sum())


def _reestimate_batch_norm(training: StageTraining, data: StageData) -> None:
    """Give the evaluated network the statistics of the training frames, not augmented."""
    device, input_spec = training.accelerator.device, training.recipe.input.to_spec()
    frames, network = data.frames, training.evaluated
    if frames.size_hw != input_spec.size_hw:
        frames = TrainingFrames(frames.dataset, input_spec.size_hw, workers=frames.workers)
    seed = (training.recipe.seed, training.state.stage, 0)
    batches = data.batches(seed)
    loader = batch_loader(EpochFrames(frames, None, seed), batches)
    graph = FrameGraph(network, input_spec, "logits").to(device)
    images = (graph.normalized(batch.to(device)) for batch, _ in loader)
    frozen = [network.get_submodule(name) for name in training.stage.freeze]
    reestimate_batch_norm(network, images, frozen=frozen)


def sample_pictures(
    segmenter: Segmenter | AveragingSegmenter, dataset: Dataset
) -> list[list[np.ndarray]]:
    """Return frame, truth and prediction of frames spread over the data, uint8 (H, W, 3) each."""
    labels = dataset.labels
    rows: list[list[np.ndarray]] = []
    for sample in spread_samples(dataset, SAMPLE_FRAMES):
        shown = viewable(sample.image)
        predicted = overlay(shown, segmenter(sample.image).label_map, labels)
        rows.append([shown, colorize(sample.mask, labels), predicted])
    return rows
