"""`swiftseg serve`: models behind an address."""

from typing import Annotated

import typer

from swiftseg.cli.options import MODEL_HELP, BackendOption, DeviceOption, PrecisionOption
from swiftseg.weights import DEFAULT_MODEL


def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL",
            help=MODEL_HELP,
            show_default=DEFAULT_MODEL,
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Processes, each with models and a queue.")
    ] = 1,
    backend: BackendOption = None,
    precision: PrecisionOption = "f32",
    device: DeviceOption = None,
    threads: Annotated[int, typer.Option(help="Threads per picture.")] = 1,
    queue: Annotated[int, typer.Option(min=1, help="Pictures that may wait; others get 429.")] = 32,
    max_wait: Annotated[
        float, typer.Option(metavar="S", help="Longest wait in the queue; then 503.")
    ] = 5.0,
    max_body: Annotated[float, typer.Option(metavar="MB", help="Largest request.")] = 20.0,
    max_pixels: Annotated[
        float, typer.Option(metavar="MP", help="Largest picture, in megapixels.")
    ] = 40.0,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(help="Origin allowed by CORS; repeatable."),
    ] = None,
) -> None:
    """Serve models over HTTP, with a page at / to try them on.

    POST a picture to /v1/segment and get its label map. Set SWIFTSEG_API_KEY to ask for a key.
    /openapi.json describes all routes; SIGTERM ends the server when every request is answered.
    """
    from swiftseg.core import needs_extra
    from swiftseg.runtimes.cores import check_threads

    with needs_extra("swiftseg serve", "serve"):
        from swiftseg.server.access import checked_origins, key_from_environment
        from swiftseg.server.limits import Limits
        from swiftseg.server.run import Served, address_of, listen, run_server
    check_threads(threads)
    limits = Limits(
        max_body_bytes=round(max_body * 1e6),
        max_pixels=round(max_pixels * 1e6),
        max_queue=queue,
        max_batch=min(Limits.max_batch, queue),
        max_wait_s=max_wait,
    )
    served = Served(
        models=tuple(models or [DEFAULT_MODEL]),
        backend=backend,
        precision=precision,
        device=device,
        threads=threads,
        processes=workers,
        limits=limits,
        key=key_from_environment(),
        cors_origins=checked_origins(cors_origin or ()),
    )
    with listen(host, port) as listener:
        typer.echo(f"{address_of(host, listener)} (Ctrl-C stops)")
        run_server(served, listener)
