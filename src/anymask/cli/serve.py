"""`anymask serve`: the models over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def serve(
    model: Annotated[
        list[str], typer.Option(metavar="NAME", help="A model's name or folder; several can be served.")
    ] = ["lite"],  # noqa: B006 (typer copies it)
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; others than 127.0.0.1 need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8760,
    token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", envvar="ANYMASK_TOKEN", help="What callers must show."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The token's file: not seen in lists of processes.")
    ] = None,
    allow_host: Annotated[
        list[str], typer.Option(metavar="NAME", help="A further name by which this server is called.")
    ] = [],  # noqa: B006
    trust_proxy: Annotated[
        list[str], typer.Option(metavar="ADDRESS", help="A reverse proxy that says who its clients are.")
    ] = [],  # noqa: B006
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep images and embeddings here between runs.")
    ] = None,
    memory: Annotated[int, typer.Option(min=1, metavar="MIB", help="For images and embeddings.")] = 1024,
    disk: Annotated[int, typer.Option(min=1, metavar="MIB", help="What --cache may hold.")] = 10240,
    max_upload: Annotated[int, typer.Option(min=1, metavar="MIB", help="Largest file taken.")] = 64,
    max_megapixels: Annotated[int, typer.Option(min=1, help="Largest image taken.")] = 50,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="Requests a second of one client address; no limit.")
    ] = None,
    label_studio: Annotated[
        str | None, typer.Option(metavar="URL", help="The Label Studio whose pictures may be fetched.")
    ] = None,
    label_studio_token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file of a user's access token there.")
    ] = None,
    precision: Annotated[Literal["fast", "exact"], typer.Option(help="exact: float32 throughout.")] = "fast",
    backend: Annotated[
        Literal["auto", "openvino", "onnx", "torch"], typer.Option(help="What computes.")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless given.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Serve models over HTTP: the REST API, Label Studio's ML backend, X-AnyLabeling's server.

    Only this machine can connect unless --host says otherwise, and then a token is asked for. The API is
    described at /v1/openapi.json. Ctrl-C stops.
    """
    from anymask.cli.serve_job import Settings, run_server

    settings = Settings(
        host=host,
        port=port,
        token=token,
        token_file=token_file,
        allowed_hosts=tuple(allow_host),
        proxies=tuple(trust_proxy),
        cache=cache,
        memory_mib=memory,
        disk_mib=disk,
        upload_mib=max_upload,
        megapixels=max_megapixels,
        rate=rate,
        label_studio=label_studio,
        label_studio_token_file=label_studio_token_file,
    )
    run_server(model, settings, precision=precision, backend=backend, threads=threads, quiet=quiet)
