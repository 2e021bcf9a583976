"""`anymask studio`: label pictures in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def studio(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of pictures.")] = Path(),
    model: Annotated[
        list[str], typer.Option(metavar="NAME", help="A model's name or folder; several can be offered.")
    ] = ["lite"],  # noqa: B006 (typer copies it)
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; on others than 127.0.0.1 people log in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8765,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    accounts: Annotated[
        bool, typer.Option("--accounts", help="Let people log in on 127.0.0.1, too.")
    ] = False,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL", envvar="ANYMASK_DATABASE", help="PostgreSQL in place of FOLDER/.anymask/studio.db."
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file of a token with which programs may use /v1."),
    ] = None,
    allow_host: Annotated[
        list[str], typer.Option(metavar="NAME", help="A further name by which this server is called.")
    ] = [],  # noqa: B006
    trust_proxy: Annotated[
        list[str], typer.Option(metavar="ADDRESS", help="A reverse proxy that says who its clients are.")
    ] = [],  # noqa: B006
    memory: Annotated[int, typer.Option(min=1, metavar="MIB", help="For embeddings.")] = 1024,
    disk: Annotated[int, typer.Option(min=1, metavar="MIB", help="For embeddings on disk.")] = 10240,
    uploads: Annotated[int, typer.Option(min=1, metavar="MIB", help="For all uploads together.")] = 51200,
    max_upload: Annotated[int, typer.Option(min=1, metavar="MIB", help="Largest file taken.")] = 64,
    max_megapixels: Annotated[int, typer.Option(min=1, help="Largest picture taken.")] = 50,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="Requests a second of one client address; no limit.")
    ] = None,
    precision: Annotated[Literal["fast", "exact"], typer.Option(help="exact: float32 throughout.")] = "fast",
    backend: Annotated[
        Literal["auto", "openvino", "onnx", "torch"], typer.Option(help="What computes.")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless given.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Label the pictures of a folder in the browser, alone or as a team.

    What is made lies in FOLDER/.anymask; the pictures stay as they are. Only this machine can connect unless
    --host says otherwise, and then everybody logs in: the first administrator by the link that is printed.
    Ctrl-C stops.
    """
    from anymask.cli.studio_job import Settings, run_studio

    settings = Settings(
        folder=folder,
        host=host,
        port=port,
        accounts=accounts,
        database=database,
        token_file=token_file,
        allowed_hosts=tuple(allow_host),
        proxies=tuple(trust_proxy),
        memory_mib=memory,
        disk_mib=disk,
        uploads_mib=uploads,
        upload_mib=max_upload,
        megapixels=max_megapixels,
        rate=rate,
        opens_browser=not no_browser,
    )
    run_studio(model, settings, precision=precision, backend=backend, threads=threads, quiet=quiet)
