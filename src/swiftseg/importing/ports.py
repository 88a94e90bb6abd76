"""The public ports whose files can be told by their names: their layers, and how they deviate.

Each port lists its layers in the order of the network here, one to one. Its state dict's own order
need not be that: FCN-8s ports declare their scores in another order than they use them, ShelfNet's
release declares all upsamplings before all blocks, and a .safetensors file is sorted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Frames:
    """The frames that weights were trained on.

    Attributes:
        text: For the user.
        mean: Per RGB channel in 0..1, or None where nobody knows.
        std: Per RGB channel in 0..1, or None.
    """

    text: str
    mean: Triple | None = None
    std: Triple | None = None


IMAGENET = Frames(
    "RGB in 0..1, less mean (0.485, 0.456, 0.406), over standard deviation (0.229, 0.224, 0.225)",
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)
PLAIN = Frames("RGB in 0..1", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
CAFFE = Frames(
    "RGB in 0..1, less mean (0.4811, 0.4575, 0.4079), over 1/255 = 0.00392157",
    (0.4811, 0.4575, 0.4079),
    (1 / 255, 1 / 255, 1 / 255),
)

# What `swiftseg import --normalization` names, for weights whose port does not tell.
NORMALIZATIONS: Mapping[str, Frames] = {"imagenet": IMAGENET, "plain": PLAIN, "caffe": CAFFE}


@dataclass(frozen=True)
class Port:
    """A public implementation whose weights a network here can take.

    Attributes:
        name: What `--port` calls it.
        source: Where it is published.
        layers: Its layers in the order of ours; the first is what its files are told by.
        options: The variant of the network here that computes what the port does.
        deviations: Where it departs from the paper, and what was done about it.
        training_only: Prefixes of layers that inference does not use.
        scaled: Factors for weights, by their name, that the port applies elsewhere or not at all.
        bgr_input: The convolution that sees BGR, whose input channels are reversed here.
        expects: The frames its weights were trained on.
    """

    name: str
    source: str
    layers: tuple[str, ...]
    expects: Frames
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    deviations: tuple[str, ...] = ()
    training_only: tuple[str, ...] = ()
    scaled: Mapping[str, float] = field(default_factory=dict[str, float])
    bgr_input: str | None = None


@dataclass(frozen=True)
class RefusedPort:
    """A public implementation that is another network than the paper's.

    Attributes:
        source: Where it is published.
        mark: A layer that only its files have.
        deviations: What no weights can make up for.
    """

    source: str
    mark: str
    deviations: tuple[str, ...]


def _at(prefix: str, *parts: object) -> tuple[str, ...]:
    return tuple(f"{prefix}.{part}" for part in parts)


def _fast_scnn_layers() -> tuple[str, ...]:
    down, context, fusion = "learning_to_downsample", "global_feature_extractor", "feature_fusion"
    bottleneck = ("0.conv.0", "0.conv.1", "1.conv.0", "1.conv.1", "2", "3")
    separable = (0, 1, 3, 4)
    return (
        *_at(f"{down}.conv.conv", 0, 1),
        *_at(f"{down}.dsconv1.conv", *separable),
        *_at(f"{down}.dsconv2.conv", *separable),
        *(
            name
            for group in (1, 2, 3)
            for block in (0, 1, 2)
            for name in _at(f"{context}.bottleneck{group}.{block}.block", *bottleneck)
        ),
        *(
            name
            for conv in ("conv1", "conv2", "conv3", "conv4", "out")
            for name in _at(f"{context}.ppm.{conv}.conv", 0, 1)
        ),
        *_at(f"{fusion}.dwconv.conv", 0, 1),
        *_at(f"{fusion}.conv_lower_res", 0, 1),
        *_at(f"{fusion}.conv_higher_res", 0, 1),
        *_at("classifier.dsconv1.conv", *separable),
        *_at("classifier.dsconv2.conv", *separable),
        "classifier.conv.1",
    )


def _segnet_layers() -> tuple[str, ...]:
    encoder = [f"{s}{i}" for s, count in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, count + 1)]
    decoder = [f"{number}d" for number in reversed(encoder)]
    convs = [name for number in encoder + decoder for name in (f"conv{number}", f"bn{number}")]
    return tuple(convs[:-1])  # the last convolution is the classifier, without normalization


def _fcn8s_layers() -> tuple[str, ...]:
    return (
        *(
            f"conv{s}_{i}"
            for s, count in enumerate((2, 2, 3, 3, 3), 1)
            for i in range(1, count + 1)
        ),
        *("fc6", "fc7", "score_fr", "score_pool4", "score_pool3"),
        *("upscore2", "upscore_pool4", "upscore8"),
    )


def _fcn8s_layers_by_stage() -> tuple[str, ...]:
    return (
        *_at("features3", 0, 2, 5, 7, 10, 12, 14),
        *_at("features4", 0, 2, 4),
        *_at("features5", 0, 2, 4),
        *_at("score_fr", 0, 3, 6),
        *("score_pool4", "score_pool3", "upscore2", "upscore_pool4", "upscore8"),
    )


def _segfast_layers() -> tuple[str, ...]:
    separable = _at("layer", 0, 1, 3, 4)
    spark = (
        *_at("squeeze_layer", 0, 1),
        *_at("expand_1x1_layer", 0, 1),
        *_at("expand_kxk_layer.0", *separable),
    )
    return (
        *_at("primary_conv", *separable),
        *(
            name
            for block in (1, 2, 3)
            for position in (1, 2)
            for name in _at(f"down_block_{block}.layer.{position}", *spark)
        ),
        *(
            name
            for block in (3, 2, 1)
            for name in (
                *_at(f"up_block_{block}.up_layer.0", *separable),
                *_at(f"up_block_{block}.concat_layer", *spark),
            )
        ),
        "classifier.0",
    )


def _shelfnet50_layers() -> tuple[str, ...]:
    s_block = ("conv1", "bn1", "bn2")
    head, ladder = "head", "head.ladder"
    return (
        *_resnet50_layers("pretrained"),
        *(name for level in (1, 2, 3, 4) for name in (f"{head}.conv{level}", f"{head}.bn{level}")),
        *_upward_column(f"{head}.decoder"),
        *_at(f"{ladder}.inconv", *s_block),
        *(name for i in range(3) for name in _at(f"{ladder}.down_module_list.{i}", *s_block)),
        *_at(f"{ladder}.down_conv_list", 0, 1, 2),
        *_upward_column(ladder),
        f"{head}.final",
    )


def _upward_column(prefix: str) -> tuple[str, ...]:
    s_block = ("conv1", "bn1", "bn2")
    return (
        *_at(f"{prefix}.bottom", *s_block),
        *(
            name
            for i in range(3)
            for name in (
                f"{prefix}.up_conv_list.{i}",
                *_at(f"{prefix}.up_dense_list.{i}", *s_block),
            )
        ),
    )


def _resnet50_layers(prefix: str) -> tuple[str, ...]:
    convs = ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3")
    blocks = [(layer, i) for layer, count in enumerate((3, 4, 6, 3), 1) for i in range(count)]
    return (
        *_at(prefix, "conv1", "bn1"),
        *(
            name
            for layer, i in blocks
            for name in _at(
                f"{prefix}.layer{layer}.{i}",
                *convs,
                *(() if i else ("downsample.0", "downsample.1")),
            )
        ),
    )


_STEPWISE_FCN = "pooled features are scored unscaled: the scores' weights are scaled to make up"
_BGR = "trained on BGR: the first convolution's input channels are reversed"

PORTS: Mapping[str, tuple[Port, ...]] = {
    "fast_scnn": (
        Port(
            name="tramac",
            source="github.com/Tramac/Fast-SCNN-pytorch",
            layers=_fast_scnn_layers(),
            expects=IMAGENET,
            options={"variant": "port"},
            deviations=(
                "normalization and ReLU inside separable convolutions: built so",
                "the feature fusion is not dilated: built so",
                "the first convolution does not pad: built so",
                "bilinear upsampling aligns corners: built so",
            ),
            training_only=("auxlayer.",),
        ),
    ),
    "enet": (),
    "shelfnet50": (
        Port(
            name="release",
            source="github.com/juntang-zhuang/ShelfNet",
            layers=_shelfnet50_layers(),
            expects=IMAGENET,
            training_only=("auxlayer.", "head.selayer.", "head.decoder.inconv.", "pretrained.fc."),
        ),
    ),
    "segnet": (
        Port(
            name="onera",
            source="github.com/delta-onera/segnet_pytorch",
            layers=_segnet_layers(),
            expects=Frames("what its training gave it; the port fixes nothing"),
            deviations=(
                "pooling rounds down, here up: the same where height and width divide by 32",
            ),
        ),
    ),
    "fcn8s": (
        Port(
            name="wkentaro",
            source="github.com/wkentaro/pytorch-fcn, FCN8s",
            layers=_fcn8s_layers(),
            expects=CAFFE,
            deviations=(_STEPWISE_FCN, _BGR),
            scaled={"score_pool4.weight": 1e2, "score_pool3.weight": 1e4},
            bgr_input="conv1_1",
        ),
        Port(
            name="wkentaro-at-once",
            source="github.com/wkentaro/pytorch-fcn, FCN8sAtOnce",
            layers=_fcn8s_layers(),
            expects=CAFFE,
            deviations=(_BGR,),
            bgr_input="conv1_1",
        ),
        Port(
            name="segfast",
            source="github.com/DVLP-CMATERJU/SegFast, FCN8s",
            layers=_fcn8s_layers_by_stage(),
            expects=PLAIN,
        ),
    ),
    "segfast": (
        Port(
            name="release",
            source="github.com/DVLP-CMATERJU/SegFast, SegFast",
            layers=_segfast_layers(),
            expects=PLAIN,
            options={"variant": "release"},
            deviations=("the authors' later network, not the paper's: built so",),
        ),
    ),
}

REFUSED: Mapping[str, tuple[RefusedPort, ...]] = {
    "enet": (
        RefusedPort(
            source="github.com/davidtvs/PyTorch-ENet",
            mark="initial_block.main_branch",
            deviations=(
                "an extra activation behind each expansion",
                "normalization and activation between the 5x1 and the 1x5 convolution",
                "bottlenecks of another width when sampling down (4, 16) and up (32, 16)",
                "transposed convolutions of 2x2 inside and 3x3 at the end",
                "a 3x3 pooling in the initial block",
            ),
        ),
        RefusedPort(
            source="github.com/gjy3035/enet.pytorch",
            mark="encoder.initial.batch_norm",
            deviations=(
                "an extra activation behind each expansion",
                "the initial block's pooled image is not normalized",
                "ReLU in place of PReLU at the end of each bottleneck",
            ),
        ),
    ),
    "segnet": (
        RefusedPort(
            source="github.com/meetps/pytorch-semseg, segnet",
            mark="down1.conv1.cbr_unit.0",
            deviations=("normalization and ReLU behind the classifier",),
        ),
    ),
    "fcn8s": (
        RefusedPort(
            source="github.com/meetps/pytorch-semseg, fcn8s",
            mark="conv_block1.0",
            deviations=("bilinear interpolation in place of the transposed convolutions",),
        ),
    ),
}
