"""Listening: an application behind uvicorn."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from anymask.core.errors import InputError
from anymask.server.config import ServerConfig

_CONNECTIONS = 512
_HEADER_BYTES = 32 * 1024


def serve(
    app: FastAPI,
    config: ServerConfig,
    ready: Callable[[str], None] = lambda address: None,
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Answer requests until SIGINT or SIGTERM.

    ready: called with the address once connections are taken. stopping: called when the server is to stop;
    answers without an end are to end then. Raises InputError if the address cannot be had.
    """
    with listen(config) as listener:
        host, port = listener.getsockname()[:2]
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        _Server(uvicorn_config(app, config), stopping).run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping()
        super().handle_exit(sig, frame)


def uvicorn_config(app: FastAPI, config: ServerConfig) -> uvicorn.Config:
    """No more than this API needs: no web sockets, no trust in unknown proxies, bounded connections."""
    return uvicorn.Config(
        app,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(config.proxies),
        forwarded_allow_ips=list(config.proxies),
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )


def listen(config: ServerConfig) -> socket.socket:
    """A listening socket. Raises InputError if the address is taken, not allowed or not this machine's."""
    try:
        family, _, _, _, address = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        raise InputError(
            f"cannot listen on {config.host}:{config.port}: {error.strerror}; give another --host or --port"
        ) from error
