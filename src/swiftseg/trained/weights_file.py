"""Weights as a .safetensors file that says which network they fill."""

from pathlib import Path
from typing import Any

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from swiftseg.core import InputSpec, LabelSet, ModelSpec, SwiftsegError
from swiftseg.core.files import check_suffix, replacing
from swiftseg.core.schema import Section, first_problem
from swiftseg.layers.filling import fill
from swiftseg.layers.tensor_digest import digest_of
from swiftseg.layers.tensor_file import DIGEST_KEY, SAFETENSORS, read_state_dict
from swiftseg.models import create_model

METADATA_KEY = "swiftseg"


class Description(Section):
    """What the file says of its weights.

    Attributes:
        source: Where the weights come from, in words.
        expects: The frames they were trained on, in words.
        input: The frames the network takes, or None where nobody has told their size.
        labels: The classes it predicts, or None where nobody has named them.
    """

    network: str
    num_classes: int
    options: dict[str, Any] = Field(default_factory=dict)
    source: str = ""
    expects: str = ""
    input: InputSpec | None = None
    labels: LabelSet | None = None

    def spec(self, path: Path) -> ModelSpec:
        """Return the whole description of the model in the file at `path`.

        Raises:
            SwiftsegError: Nobody has told the class names or the input, or they do not fit.
        """
        if self.labels is None or self.input is None:
            raise SwiftsegError(
                f"{path}: names no classes or no input size, which running its network needs; "
                "import it again with --labels and --size, and with --normalization imagenet, "
                "plain or caffe where its port does not tell"
            )
        return ModelSpec(
            name=path.stem,
            network=self.network,
            labels=self.labels,
            input=self.input,
            training_data=self.source,
        )


def save_weights(weights: dict[str, Tensor], description: Description, path: Path) -> None:
    """Write the file whole or not at all.

    Raises:
        UsageError: The path does not end in .safetensors.
        SwiftsegError: The file cannot be written.
    """
    check_suffix(path, SAFETENSORS)
    weights = {name: tensor.contiguous() for name, tensor in weights.items()}
    with replacing(path, durable=True) as temporary:
        metadata = {
            METADATA_KEY: description.model_dump_json(exclude={"labels": {"sets", "unlabeled"}}),
            DIGEST_KEY: digest_of(weights),
        }
        save_file(weights, temporary, metadata)


def read_description(path: Path) -> Description | None:
    """Read what a .safetensors file says of its weights; None where it says nothing.

    Raises:
        SwiftsegError: The file is missing or damaged, or says what `swiftseg import` does not.
    """
    if not path.is_file():
        raise SwiftsegError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
        described = None if text is None else Description.model_validate_json(text)
    except (SafetensorError, OSError) as error:
        raise SwiftsegError(f"{path}: damaged or not a safetensors file: {error}") from error
    except ValidationError as error:
        problem = first_problem(error)
        raise SwiftsegError(f"{path}: not a file that swiftseg import wrote: {problem}") from error
    except SwiftsegError as error:
        raise SwiftsegError(f"{path}: {error}") from error
    if described and described.labels and len(described.labels) != described.num_classes:
        raise SwiftsegError(
            f"{path}: names {len(described.labels)} classes for {described.num_classes}"
        )
    return described


def build_described(described: Description, path: Path) -> nn.Module:
    """Build the network of a description, in eval mode, with the weights at `path`.

    Raises:
        SwiftsegError: There is no such network, or the weights do not fill it.
    """
    name, num_classes = described.network, described.num_classes
    try:
        with torch.device("meta"):
            network = create_model(name, num_classes=num_classes, **described.options)
    except (TypeError, ValueError, SwiftsegError) as error:
        raise SwiftsegError(f"{path}: describes no network of this swiftseg: {error}") from error
    network.to_empty(device="cpu")
    what = f"{path}: does not fit {name} with {num_classes} classes"
    fill(network, read_state_dict(path), what)
    return network.eval()
