"""Checkpoints: the state of a training in one file, its recipe included.

They hold tensors and plain values only and are read with `weights_only=True`, so that a file from
somewhere else can do no more than be refused.
"""

import errno
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from swiftseg.core import LabelSet, ModelSpec, SwiftsegError, UsageError
from swiftseg.core.files import replacing
from swiftseg.core.schema import first_problem
from swiftseg.core.spec import RGB_BANDS
from swiftseg.layers.filling import fill
from swiftseg.layers.tensor_digest import digest_of
from swiftseg.layers.tensor_file import read_tensor_file, refuse_not_finite
from swiftseg.models import create_model
from swiftseg.recipes.recipe import Recipe, Stage
from swiftseg.runs.history import Epoch

# Version 1 kept the state's fields beside the others, and the best score apart from the history;
# version 2 had no digest.
FORMAT_VERSION = 3
READ_VERSIONS = (1, 2, 3)
DIGEST_SINCE = 3

# The disk is full, the user's share of it, or what a file may have.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass
class TrainingState:
    """Where a training stands.

    The best score and the validations since then follow from the history.

    Attributes:
        epoch: Epochs of that stage that are complete.
        step: Optimizer steps of the next epoch that are done.
        loss_sum: Summed loss of these steps.
    """

    stage: int = 0
    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    history: list[Epoch] = field(default_factory=list[Epoch])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "history": [epoch.to_row() for epoch in self.history]}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "TrainingState":
        """Read what `to_dict` returned; raises KeyError, TypeError or ValueError if damaged."""
        history = [Epoch.from_row(row) for row in fields.pop("history")]
        state = cls(history=history, **fields)
        for name in ("stage", "epoch", "step"):
            value = getattr(state, name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"its {name} is {value!r}")
        return state


STATE_FIELDS = tuple(TrainingState.__dataclass_fields__)


@dataclass
class Checkpoint:
    """A training, as it goes on from here.

    Attributes:
        averaged: That of its moving average, if there is one.
        optimizer: The optimizer's state dict; empty where only the weights are kept.
        schedule: The schedule's state dict.
        scaler: The state dict of fp16's loss scaler; empty for other precisions.
        rng: The random state of torch, by device kind.
    """

    recipe: Recipe
    labels: LabelSet
    state: TrainingState
    network: dict[str, Tensor]
    averaged: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    optimizer: dict[str, Any] = field(default_factory=dict[str, Any])
    schedule: dict[str, Any] = field(default_factory=dict[str, Any])
    scaler: dict[str, Any] = field(default_factory=dict[str, Any])
    rng: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    @property
    def stage(self) -> Stage:
        """The stage of the recipe that it belongs to."""
        return self.recipe.stages[self.state.stage]


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write the file whole or not at all.

    Raises:
        SwiftsegError: It cannot be written; what stood at `path` before is still there.
    """
    fields = {
        **vars(checkpoint),
        "format_version": FORMAT_VERSION,
        "recipe": checkpoint.recipe.model_dump(mode="json"),
        "labels": checkpoint.labels.to_dict(),
        "state": checkpoint.state.to_dict(),
    }
    fields["digest"] = digest_of(fields)
    try:
        with replacing(path, durable=True) as temporary:
            write_tensors(fields, temporary)
    except SwiftsegError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in NO_ROOM:
            raise SwiftsegError(
                f"{error}; the last good checkpoint is kept: make room, then continue with "
                "the same command and --resume"
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
    """Read a checkpoint onto the CPU.

    Raises:
        SwiftsegError: The file is missing, damaged, of another version, no checkpoint of swiftseg,
            or holds more than tensors and plain values.
    """
    content = read_tensor_file(path)
    if not is_checkpoint(content):
        raise SwiftsegError(f"{path}: not a checkpoint of swiftseg train")
    return parse_checkpoint(content, path)


def is_checkpoint(content: Any) -> TypeGuard[dict[str, Any]]:
    """Whether what was read from a file is a checkpoint of any version."""
    return isinstance(content, dict) and "format_version" in content


def parse_checkpoint(fields: dict[str, Any], path: Path) -> Checkpoint:
    version, digest = fields.pop("format_version"), fields.pop("digest", None)
    if version not in READ_VERSIONS:
        raise SwiftsegError(
            f"{path}: checkpoint format {version!r} where this swiftseg reads "
            f"{', '.join(map(str, READ_VERSIONS))}; use the version that wrote it"
        )
    if version >= DIGEST_SINCE and digest != digest_of({"format_version": version, **fields}):
        raise SwiftsegError(
            f"{path}: refused, its content is not what was written; take another copy of it"
        )
    try:
        if version == 1:
            fields["state"] = {name: fields.pop(name) for name in STATE_FIELDS}
            del fields["best_score"], fields["validations_since_best"]
        fields["state"] = TrainingState.from_dict(fields["state"])
        fields["recipe"] = Recipe.model_validate(fields["recipe"])
        fields["labels"] = LabelSet(**fields["labels"])
        checkpoint = Checkpoint(**fields)
        check_inside(checkpoint)
    except ValidationError as error:
        raise SwiftsegError(f"{path}: the checkpoint is damaged: {first_problem(error)}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SwiftsegError(f"{path}: the checkpoint is damaged: {error}") from error
    except SwiftsegError as error:
        raise SwiftsegError(f"{path}: the checkpoint is damaged: {error}") from error
    refuse_not_finite(checkpoint.network, path)
    refuse_not_finite(checkpoint.averaged, path)
    return checkpoint


def check_inside(checkpoint: Checkpoint) -> None:
    """Raise ValueError where the parts of a checkpoint are not of their types or do not fit."""
    state, recipe = checkpoint.state, checkpoint.recipe
    if not 0 <= state.stage < len(recipe.stages):
        raise ValueError(f"it is in stage {state.stage} of {len(recipe.stages)}")
    for name in ("network", "averaged", "rng"):
        tensors = getattr(checkpoint, name)
        if not isinstance(tensors, dict) or not all(
            isinstance(key, str) and isinstance(value, Tensor) for key, value in tensors.items()
        ):
            raise ValueError(f"its {name} is not tensors by name")
    for name in ("optimizer", "schedule", "scaler"):
        if not isinstance(getattr(checkpoint, name), dict):
            raise ValueError(f"its {name} is no dict")


def stage_network(stage: Stage, num_classes: int, in_channels: int = RGB_BANDS) -> nn.Module:
    """Build a stage's network with fresh weights.

    Raises:
        UsageError: The recipe's network, one of its options or an option's value does not exist.
    """
    try:
        options: dict[str, Any] = dict(stage.options)
        return create_model(
            stage.network, num_classes=num_classes, in_channels=in_channels, **options
        )
    except (ValueError, TypeError) as error:  # an option of another type
        raise UsageError(f"stage {stage.name}: {str(error).splitlines()[0]}") from error


def build_network(checkpoint: Checkpoint, path: Path) -> nn.Module:
    """Build the network a checkpoint belongs to and fill it.

    Raises:
        MisfitError: The tensors are those of another network; `path` names their file.
    """
    stage, num_classes = checkpoint.stage, checkpoint.recipe.num_classes
    bands = checkpoint.recipe.input.to_spec().bands
    network = stage_network(stage.without_backbone_weights(), num_classes, bands)
    what = f"{path}: does not fit {stage.network} with {num_classes} classes"
    fill(network, checkpoint.network, what)
    return network


def model_spec(recipe: Recipe, labels: LabelSet, state: TrainingState) -> ModelSpec:
    """Describe the model that a recipe's stage trains; its scores are those of the last epoch."""
    crop_hw = recipe.augmentation and recipe.augmentation.crop_hw
    held_out = "" if recipe.hold_out is None else f", without {recipe.hold_out}"
    return ModelSpec(
        name=recipe.name,
        network=recipe.stages[state.stage].network,
        labels=labels,
        input=recipe.input.to_spec(),
        training_data=f"{recipe.training_data}{held_out}",
        license_note=recipe.license_note,
        sliding_windows=recipe.evaluation.sliding_windows,
        crop_hw=crop_hw if crop_hw != recipe.input.size_hw else None,
        metrics=state.history[-1].scores() if state.history else {},
    )
