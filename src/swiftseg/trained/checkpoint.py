"""Checkpoints: the state of a training in one file, its recipe included.

They hold tensors and plain values only and are read with `weights_only=True`, so that a file from
somewhere else can do no more than be refused.
"""

import errno
import math
import pickle
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from swiftseg.core import LabelSet, ModelSpec, SwiftsegError, UsageError
from swiftseg.core.files import replacing
from swiftseg.models import create_model
from swiftseg.recipes.recipe import Recipe, Stage

FORMAT_VERSION = 1

# The disk is full, the user's share of it, or what a file may have.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

# What the names of scores begin with: those on a group of the training data are not those of val.
VAL_SCORES, HELD_OUT_SCORES = "val/", "held_out/"


@dataclass
class Checkpoint:
    """Where a training stands.

    Attributes:
        recipe: The resolved recipe.
        labels: The classes of the training data.
        stage: Index of the running stage.
        epoch: Epochs of that stage that are complete.
        step: Optimizer steps of the next epoch that are done.
        network: The network's state dict.
        averaged: That of its moving average, if there is one.
        optimizer: The optimizer's state dict; empty where only the weights are kept.
        schedule: The schedule's state dict.
        scaler: The state dict of fp16's loss scaler; empty for other precisions.
        rng: The random state of torch, by device kind.
        best_score: The best score of the stage so far.
        validations_since_best: For early stopping.
        history: One row of plain values an epoch, all stages.
        loss_sum: Summed loss of the `step` steps.
    """

    recipe: Recipe
    labels: LabelSet
    stage: int
    epoch: int
    network: dict[str, Tensor]
    step: int = 0
    averaged: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    optimizer: dict[str, Any] = field(default_factory=dict[str, Any])
    schedule: dict[str, Any] = field(default_factory=dict[str, Any])
    scaler: dict[str, Any] = field(default_factory=dict[str, Any])
    rng: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    best_score: float = -math.inf
    validations_since_best: int = 0
    history: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    loss_sum: float = 0.0


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Writes the file whole or not at all.

    Raises:
        SwiftsegError: It cannot be written; what stood at `path` before is still there.
    """
    fields = {name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__}
    fields["recipe"] = checkpoint.recipe.model_dump(mode="json")
    fields["labels"] = asdict(checkpoint.labels)
    try:
        with replacing(path) as temporary:
            write_tensors({"format_version": FORMAT_VERSION, **fields}, temporary)
    except SwiftsegError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in NO_ROOM:
            raise SwiftsegError(
                f"{error}; the last good checkpoint is kept: make room, then go on by the same "
                "command with --resume"
            ) from error
        raise


def write_tensors(fields: dict[str, Any], path: Path) -> None:
    try:
        with path.open("wb") as file:
            torch.save(fields, file)
    except RuntimeError as error:
        # Where a write fails, torch raises its own complaint about positions while handling it.
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        raise


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint onto the CPU.

    Raises:
        SwiftsegError: The file is missing, damaged, of another version, no checkpoint of swiftseg,
            or holds more than tensors and plain values.
    """
    if not path.is_file():
        raise SwiftsegError(f"{path}: no such checkpoint")
    if not zipfile.is_zipfile(path):
        raise SwiftsegError(
            f"{path}: refused, it is damaged or not a checkpoint that swiftseg train wrote"
        )
    try:
        fields: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise SwiftsegError(
            f"{path}: refused, it is a pickle of more than tensors and plain values; "
            "expected a checkpoint that swiftseg train wrote"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise SwiftsegError(f"{path}: damaged, or not a checkpoint of swiftseg train") from error
    if not isinstance(fields, dict) or "format_version" not in fields:
        raise SwiftsegError(f"{path}: not a checkpoint of swiftseg train")
    return parse_checkpoint(cast(dict[str, Any], fields), path)


def parse_checkpoint(fields: dict[str, Any], path: Path) -> Checkpoint:
    version = fields.pop("format_version")
    if version != FORMAT_VERSION:
        raise SwiftsegError(
            f"{path}: checkpoint format {version!r} where this swiftseg reads {FORMAT_VERSION}"
        )
    try:
        fields["recipe"] = Recipe.model_validate(fields["recipe"])
        fields["labels"] = LabelSet(**fields["labels"])
        return Checkpoint(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise SwiftsegError(f"{path}: the checkpoint is damaged: {error}") from error


def stage_network(stage: Stage, num_classes: int) -> nn.Module:
    """Builds a stage's network with fresh weights.

    Raises:
        UsageError: The recipe's network, one of its options or an option's value does not exist.
    """
    try:
        return create_model(stage.network, num_classes=num_classes, **stage.options)
    except ValueError as error:
        raise UsageError(f"stage {stage.name}: {error}") from error


def build_network(checkpoint: Checkpoint, path: Path) -> nn.Module:
    """Builds the network a checkpoint belongs to and fills it.

    Raises:
        SwiftsegError: The tensors are those of another network.
    """
    stage = checkpoint.recipe.stages[checkpoint.stage]
    num_classes = checkpoint.recipe.num_classes
    network = stage_network(stage.without_backbone_weights(), num_classes)
    try:
        network.load_state_dict(checkpoint.network)
    except RuntimeError as error:
        own = network.state_dict()
        misfits = [
            name
            for name in sorted(own.keys() | checkpoint.network.keys())
            if name not in own
            or name not in checkpoint.network
            or own[name].shape != checkpoint.network[name].shape
        ]
        raise SwiftsegError(
            f"{path}: holds the weights of another network than {stage.network} with "
            f"{num_classes} classes; {len(misfits)} tensors do not fit, such as {misfits[0]}"
        ) from error
    return network


def model_spec(
    recipe: Recipe, stage: int, labels: LabelSet, history: list[dict[str, Any]]
) -> ModelSpec:
    """Describes the model that a recipe's stage trains; its scores are the last row's."""
    row = history[-1] if history else {}
    held_out = "" if recipe.hold_out is None else f", without {recipe.hold_out}"
    return ModelSpec(
        name=recipe.name,
        network=recipe.stages[stage].network,
        labels=labels,
        input=recipe.input.to_spec(),
        training_data=f"{recipe.training_data}{held_out}",
        license_note=recipe.license_note,
        sliding_windows=recipe.evaluation.sliding_windows,
        metrics={
            name: float(row[name]) for name in row if name.startswith((VAL_SCORES, HELD_OUT_SCORES))
        },
    )


def load_network(path: Path) -> tuple[nn.Module, ModelSpec]:
    """Reads a network in eval mode and its description; raises as `load_checkpoint` does."""
    checkpoint = load_checkpoint(path)
    spec = model_spec(checkpoint.recipe, checkpoint.stage, checkpoint.labels, checkpoint.history)
    return build_network(checkpoint, path).eval(), spec
