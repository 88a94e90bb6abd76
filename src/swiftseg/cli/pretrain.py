"""`swiftseg pretrain`: pictures of classes in, weights to start a training from out."""

from pathlib import Path
from typing import Annotated

import typer

from swiftseg.core import needs_extra


def pretrain(
    network: Annotated[str, typer.Argument(help="A network whose paper pre-trains: fast_scnn.")],
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Pictures in train/CLASS and val/CLASS.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run.")],
    epochs: Annotated[int, typer.Option(min=1, help="Epochs.")] = 90,
    batch_size: Annotated[
        int, typer.Option(min=2, help="Pictures per step, over all devices.")
    ] = 256,
    lr: Annotated[float, typer.Option(help="Learning rate of a batch of 256.")] = 0.1,
    side: Annotated[int, typer.Option(min=32, help="Side of the square crops.")] = 224,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read pictures.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, order and crops.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
) -> None:
    """Train a network's first layers as a classifier, such as on ImageNet.

    Writes OUT/pretrained.safetensors (the epoch of the best top-1 accuracy), metrics.csv and
    last.pt. `swiftseg train RECIPE --weights OUT/pretrained.safetensors` starts from it. The
    validation pictures of ImageNet come in one folder and must be sorted into those of their
    classes first.
    """
    with needs_extra("swiftseg pretrain", "train"):
        from swiftseg.training.pretraining import WEIGHTS, Accuracy
        from swiftseg.training.pretraining import pretrain as pretrain_classifier

    def tell(epoch: Accuracy) -> None:
        typer.echo(
            f"epoch {epoch.epoch}/{epochs}  loss {epoch.loss:.4f}  lr {epoch.lr:.1e}  "
            f"top-1 {epoch.top1:.2%}  top-5 {epoch.top5:.2%}"
        )

    pretrain_classifier(
        network,
        data,
        out,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        side=side,
        workers=workers,
        seed=seed,
        resume=resume,
        on_epoch=tell,
    )
    typer.echo(f"wrote {out / WEIGHTS}; swiftseg train RECIPE --weights {out / WEIGHTS}")
