"""A recipe: everything that decides a training.

Recipes do not inherit from each other. Unknown keys are errors that name the known ones, and the
resolved recipe, overrides included, is stored in every checkpoint.
"""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from swiftseg.core import InputSpec
from swiftseg.core.schema import Section

Side = Annotated[int, Field(ge=1, le=16_384)]
Size = tuple[Side, Side]

# Files and folders are called by it: no separators, no control characters, not hidden.
FileName = Annotated[str, Field(max_length=100, pattern=r"^[^/\\\x00-\x1f.][^/\\\x00-\x1f]*$")]


class NetworkInput(Section):
    """The frames as the network gets them; see `InputSpec`."""

    size_hw: Size
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[PositiveFloat, ...] = (1.0, 1.0, 1.0)
    dtype: Literal["uint8", "uint16", "int16", "float32"] = "uint8"

    def to_spec(self) -> InputSpec:
        return InputSpec(size_hw=self.size_hw, mean=self.mean, std=self.std, dtype=self.dtype)

    @model_validator(mode="after")
    def refuse_misfits(self) -> "NetworkInput":
        if not self.mean or len(self.mean) != len(self.std):
            raise ValueError(
                f"expected mean and std as one value per band, got {len(self.mean)} and "
                f"{len(self.std)}"
            )
        return self


class ClassWeights(Section):
    """Weights of the classes in the loss; see `swiftseg.losses.class_weighting`.

    `c` belongs to `enet`, `beta` to `effective_number`, `values` (one a class) to `constant`.
    """

    name: Literal["enet", "median_frequency", "effective_number", "constant"]
    c: float = Field(default=1.02, gt=1.0)
    beta: float = Field(default=0.999, ge=0, lt=1)
    values: tuple[NonNegativeFloat, ...] = ()


class Loss(Section):
    """The loss of the logits, and the weights of the training heads' losses beside it.

    `ohem` counts the pixels whose true class has a probability below `threshold`, at least the
    share `min_kept` of them. `dice` and `lovasz` are averaged over the classes that an image has,
    then over images; `dice_weight` and `lovasz_weight` add them to the loss that is named, as in
    `{name: cross_entropy, lovasz_weight: 1.0}`. `normalize: pixels` divides a weighted cross
    entropy by the number of pixels in place of the sum of their weights.
    """

    name: Literal["cross_entropy", "ohem", "dice", "lovasz"] = "cross_entropy"
    dice_weight: float = Field(default=0.0, ge=0)
    lovasz_weight: float = Field(default=0.0, ge=0)
    normalize: Literal["weights", "pixels"] = "weights"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    threshold: float = Field(default=0.7, gt=0, lt=1)
    min_kept: float = Field(default=0.0625, gt=0, le=1)
    aux_weight: float = Field(default=0.0, ge=0)
    presence_weight: float = Field(default=0.0, ge=0)


class Distillation(Section):
    """Learning from what a trained network says of the same frames, beside the masks.

    `teacher` is a checkpoint's path or the name of shipped weights; it must have the data's
    classes. One trained on larger frames than the recipe's input sees them enlarged to the size it
    knows. `weight` times the divergence from its probabilities, softened by `temperature`, is
    added to the loss.
    """

    teacher: str
    weight: float = Field(default=1.0, gt=0)
    temperature: float = Field(default=1.0, gt=0)


Scale = Annotated[float, Field(gt=0, le=16)]


class Augmentation(Section):
    """What is drawn anew for every frame; see `swiftseg.training.augmentation`.

    A frame's short side becomes `base_short_side` (the input's by default) times a factor drawn
    from `scale`; `crop_hw` (the input's size by default) is then cropped, padded where the frame is
    smaller. With the probability `class_balanced` the crop is laid around a pixel of a class that
    is drawn with equal chances from those in the mask. `brightness`, `contrast`, `saturation` and
    `hue` are torchvision's strengths, `channel_noise` is the standard deviation of a value added to
    each channel, in 0..1; `blur` is a probability, its radius within 1 pixel. `gamma` and
    `white_balance` are the largest changes, as a share, of the tone curve's exponent and of the
    gains of red and blue against each other; `dusk` is the probability of a dark, noisy frame.
    """

    scale: tuple[Scale, Scale] = (1.0, 1.0)
    base_short_side: Side | None = None
    crop_hw: Size | None = None
    class_balanced: float = Field(default=0.0, ge=0, le=1)
    rotation_degrees: float = Field(default=0.0, ge=0, le=180)
    horizontal_flip: float = Field(default=0.0, ge=0, le=1)
    brightness: float = Field(default=0.0, ge=0, le=1)
    contrast: float = Field(default=0.0, ge=0, le=1)
    saturation: float = Field(default=0.0, ge=0, le=1)
    hue: float = Field(default=0.0, ge=0, le=0.5)
    channel_noise: float = Field(default=0.0, ge=0, le=1)
    blur: float = Field(default=0.0, ge=0, le=1)
    gamma: float = Field(default=0.0, ge=0, le=3)
    white_balance: float = Field(default=0.0, ge=0, le=1)
    dusk: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def refuse_reversed_scale(self) -> "Augmentation":
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale goes from {self.scale[0]:g} down to {self.scale[1]:g}")
        return self

    def color_changes(self) -> list[str]:
        """Return the names of what is drawn here and changes colors as only RGB has them."""
        names = (
            *("brightness", "contrast", "saturation", "hue", "channel_noise", "blur"),
            *("gamma", "white_balance", "dusk"),
        )
        return [name for name in names if getattr(self, name)]


class DataPart(Section):
    """One of several data sets that a recipe learns from together.

    `name` is what `--data NAME=DIR` gives the folder for, and the reader where it is one's name.
    Samples are drawn in proportion to `share`. `labels` maps the data's labels to classes of the
    first data set: to one, to a list of which any may be right, or to `any`, which is ignored; what
    is not listed is the class of its name. `hold_out_share` keeps whole groups of frames (drives,
    places; see `swiftseg.data.views.groups`) out of the training, to be scored on in place of
    `val_split`. `augmentation` replaces the recipe's.
    """

    name: str
    share: float = Field(gt=0)
    labels: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    hold_out_share: float = Field(default=0.0, ge=0, lt=1)
    augmentation: Augmentation | None = None


# What the best weights of a stage are chosen by.
Best = Literal["mean_iou", "loss"]

ParameterKind = Literal["depthwise", "norm", "bias"]


class Optimizer(Section):
    """`adam` couples weight decay with the gradient (L2), `adamw` decouples it.

    `no_decay` names the kinds of parameters without weight decay. Biases learn at `bias_lr_factor`
    times the rate, and whatever is not in a network's `backbone` at `head_lr_factor` times.
    """

    name: Literal["adam", "adamw", "sgd"]
    lr: float = Field(gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    no_decay: tuple[ParameterKind, ...] = ()
    bias_lr_factor: float = Field(default=1.0, gt=0)
    head_lr_factor: float = Field(default=1.0, gt=0)
    max_gradient_norm: float | None = Field(default=None, gt=0)


MOST_EPOCHS, MOST_FRAMES = 1_000_000, 65_536  # in a batch


class Schedule(Section):
    """The learning rate over a stage.

    `step` multiplies by `gamma` after `every` epochs, `poly` falls to zero with `power`, `cosine`
    falls to zero, `one_cycle` rises over the share `warmup` of the stage and falls. The others
    rise linearly over `warmup_steps` first.
    """

    name: Literal["constant", "step", "poly", "cosine", "one_cycle"]
    every: int = Field(default=100, ge=1, le=MOST_EPOCHS)
    gamma: float = Field(default=0.1, gt=0, le=1)
    power: float = Field(default=0.9, gt=0)
    warmup: float = Field(default=0.3, gt=0, lt=1)
    warmup_steps: int = Field(default=0, ge=0, le=10**9)


class Scoring(Section):
    """How validation scores a network, and `swiftseg evaluate` its checkpoint.

    With `sliding_windows` the network goes over a frame of any size in overlapping windows of the
    input's size, as one that has learned from crops; else the frame is stretched to that size.
    """

    sliding_windows: bool = False


class EarlyStopping(Section):
    """Ends a stage after `patience` validations without a new best, from epoch `start` on."""

    start: int = Field(default=0, ge=0)
    patience: int = Field(ge=1)


class Stage(Section):
    """One training; every stage but the first starts from the best weights of the one before.

    `coarse` trains the coarse logits of a network that has them against the mask at their size.
    `freeze` names modules of the network, such as `backbone`, that stay as they start; they act as
    in evaluation, their batch normalization and dropout included.
    `dataset`, `train_split`, `lr` and `batch_size` replace the recipe's in this stage.
    """

    name: FileName
    network: str
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    epochs: int = Field(ge=1, le=MOST_EPOCHS)
    coarse: bool = False
    freeze: tuple[str, ...] = ()
    schedule: Schedule
    dataset: str | None = None
    train_split: str = "train"
    lr: float | None = Field(default=None, gt=0)
    batch_size: int | None = Field(default=None, ge=1, le=MOST_FRAMES)

    def without_backbone_weights(self) -> "Stage":
        """Return the stage as a finished network is rebuilt: without what it started from."""
        options = {key: self.options[key] for key in self.options if key != "backbone_weights"}
        return self.model_copy(update={"options": options})


class Recipe(Section):
    """A whole training.

    `data` is where the data come from if no `--data` says so (`toystreet` needs no folder), and
    `dataset` the reader they need, found out from the folder if none is named. `datasets` in its
    place are several that are learned from together, in batches that mix them; the first gives the
    classes, and an epoch has as many samples as they have frames. `void_as_class`
    makes of void one more class, the last. `batch_size` is the total over all devices, and
    `accumulate` the number of parts in which each device takes its share of it, to save memory: the
    gradient stays that of the whole, but batch normalization and `ohem` see the parts. `ema` is the
    decay of averaged weights, which are then the ones that are validated and kept. The best weights
    are those of the highest `mean_iou` or the lowest validation `loss`.

    `hold_out` names a group of the training frames, such as a video sequence (see
    `swiftseg.data.views.groups`): the network sees none of it, and is scored on it in place of
    `val_split`.

    `sync_batch_norm` normalizes over the batch of all GPUs. `reestimate_batch_norm` replaces the
    running statistics before each validation by the average over one pass of the training frames,
    without augmentation.
    """

    name: FileName
    data: str | None = None
    dataset: str | None = None
    datasets: tuple[DataPart, ...] = ()
    val_split: str = "val"
    hold_out: str | None = None
    training_data: str
    license_note: str
    num_classes: int = Field(ge=1, le=255)
    void_as_class: bool = False
    input: NetworkInput
    augmentation: Augmentation | None = None
    batch_size: int = Field(ge=1, le=MOST_FRAMES)
    accumulate: int = Field(default=1, ge=1, le=MOST_FRAMES)
    seed: int = Field(default=0, ge=0, lt=2**32)
    precision: Literal["f32", "bf16", "fp16"] = "f32"
    compile: bool = False
    class_weights: ClassWeights | None = None
    loss: Loss = Loss()
    distillation: Distillation | None = None
    optimizer: Optimizer
    sync_batch_norm: bool = False
    reestimate_batch_norm: bool = False
    ema: float | None = Field(default=None, gt=0, lt=1)
    best: Best = "mean_iou"
    early_stopping: EarlyStopping | None = None
    evaluation: Scoring = Scoring()
    validate_every: int = Field(default=1, ge=1, le=MOST_EPOCHS)
    stages: tuple[Stage, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def refuse_misfits(self) -> "Recipe":
        if self.augmentation and not self.input.to_spec().is_rgb:
            drawn = self.augmentation.color_changes()
            if drawn:
                raise ValueError(
                    f"augmentation.{drawn[0]} is for 8-bit RGB, and the input is "
                    f"{self.input.to_spec().described}; leave it out"
                )
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError(f"stage names repeat: {', '.join(names)}")
        weights = self.class_weights
        if weights and weights.name == "constant" and len(weights.values) != self.num_classes:
            raise ValueError(
                f"class_weights has {len(weights.values)} values for {self.num_classes} classes"
            )
        if weights and self.loss.name in ("dice", "lovasz"):
            raise ValueError(
                f"class_weights belong to cross entropy, and loss {self.loss.name} weighs the "
                "classes of an image equally; leave class_weights out"
            )
        self._refuse_misfit_parts()
        return self

    def _refuse_misfit_parts(self) -> None:
        if not self.datasets:
            return
        names = [part.name for part in self.datasets]
        if len(set(names)) != len(names):
            raise ValueError(f"datasets repeat: {', '.join(names)}")
        if self.dataset or any(stage.dataset for stage in self.stages):
            raise ValueError("datasets stand in the place of dataset; leave one of them out")
        if self.datasets[0].labels:
            raise ValueError(
                f"datasets: {names[0]} is the first and gives the classes; only the labels of "
                "those behind it can be mapped"
            )
        if self.void_as_class:
            raise ValueError("void_as_class does not go with datasets, whose void may be any class")
        for part in self.datasets:
            if part.augmentation is None:
                continue
            if self.augmentation is None:
                raise ValueError(
                    f"datasets: {part.name} has an augmentation where the recipe has none; give "
                    "the recipe one too, for the others"
                )
            if part.augmentation.crop_hw != self.augmentation.crop_hw:
                raise ValueError(
                    f"datasets: {part.name} has another crop_hw than the recipe, and a batch has "
                    "one size"
                )
