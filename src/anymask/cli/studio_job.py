"""The work of `anymask studio`: options to settings, a workspace opened, a server run, a browser shown."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anymask.cli.serve_job import MIB, secret_of
from anymask.cli.terminal import say
from anymask.core.errors import InputError, MissingExtraError
from anymask.models.registry import resolve
from anymask.predict.load import Backend, Precision, load

if TYPE_CHECKING:
    from anymask.studio.config import StudioConfig


@dataclass(frozen=True)
class Settings:
    """The options of the command."""

    folder: Path
    host: str
    port: int
    accounts: bool
    database: str | None
    token_file: Path | None
    allowed_hosts: tuple[str, ...]
    proxies: tuple[str, ...]
    memory_mib: int
    disk_mib: int
    uploads_mib: int
    upload_mib: int
    megapixels: int
    rate: float | None
    opens_browser: bool

    def config(self, model_folders: tuple[Path, ...] = ()) -> StudioConfig:
        """What the studio is told. Raises InputError for options that do not go together or are not safe."""
        from anymask.studio.config import StudioConfig

        return StudioConfig(
            host=self.host,
            port=self.port,
            accounts=self.accounts,
            token=None if self.token_file is None else secret_of(self.token_file),
            allowed_hosts=self.allowed_hosts,
            proxies=self.proxies,
            memory_bytes=self.memory_mib * MIB,
            disk_bytes=self.disk_mib * MIB,
            workspace_bytes=self.uploads_mib * MIB,
            max_upload_bytes=self.upload_mib * MIB,
            max_pixels=self.megapixels * 1_000_000,
            requests_per_second=self.rate,
            model_folders=model_folders,
        )


def run_studio(
    models: Sequence[str],
    settings: Settings,
    *,
    precision: Precision,
    backend: Backend,
    threads: int | None,
    quiet: bool,
) -> None:
    """Serve a workspace until interrupted. Raises what its parts do, before anything is served."""
    try:
        from anymask.server.run import serve
        from anymask.store import Store
        from anymask.studio.app import create_studio
        from anymask.studio.workspace import Workspace
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"`anymask studio` needs the package {error.name}; pip install 'anymask[studio]'"
        ) from error
    settings.config()  # what does not go together is told before anything is loaded
    workspace = Workspace.open(settings.folder)
    loaded = [load(name, precision=precision, backend=backend, threads=threads) for name in models]
    config = settings.config(tuple(resolve(name).path for name in models))
    store = Store.open(_place(settings.database) or workspace.root)
    try:
        app = create_studio(loaded, store, workspace, config)
        studio = app.state.studio

        def tell(listening: str) -> None:
            address = reachable(listening)
            link = studio.setup.link(address)
            if not quiet:
                say(f"anymask: '{workspace.root}' at {address} (Ctrl-C stops)")
            if link:  # said even when quiet: nobody could ever come in without it
                say(f"anymask: the first administrator comes in once at {link}")
            if settings.opens_browser and has_display():
                open_browser(link or address)

        serve(app, config, tell, studio.hub.close)
    finally:
        store.close()


def _place(database: str | None) -> str | None:
    """The database's URL. Raises InputError for what is none."""
    if database is not None and not database.startswith(("postgresql://", "sqlite:///")):
        raise InputError("--database is no address of a database; give one like postgresql://user@host/name")
    return database


def reachable(address: str) -> str:
    """The address that others can use: where the server listens on all, the one of this machine's network."""
    for everywhere in ("//0.0.0.0:", "//[::]:"):
        if everywhere in address:
            return address.replace(everywhere, f"//{_own_address()}:")
    return address


def _own_address() -> str:
    """Of the network that leads out; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation (RFC 5737)
            return str(probe.getsockname()[0])
        except OSError:  # no network
            return "127.0.0.1"


def has_display() -> bool:
    """Whether a browser could show a window here."""
    if sys.platform in ("win32", "darwin"):
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_browser(address: str) -> None:
    """Show an address in the user's browser, in the background; if that does not work, it was printed."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
