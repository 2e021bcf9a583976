"""The work of `anymask serve`: options to settings, models loaded, a server run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anymask.cli.terminal import say
from anymask.core.errors import InputError, MissingExtraError
from anymask.predict.load import Backend, Precision, load

if TYPE_CHECKING:
    from anymask.server.config import LabelStudio, ServerConfig

MIB = 1 << 20


@dataclass(frozen=True)
class Settings:
    """The options of the command."""

    host: str
    port: int
    token: str | None
    token_file: Path | None
    allowed_hosts: tuple[str, ...]
    proxies: tuple[str, ...]
    cache: Path | None
    memory_mib: int
    disk_mib: int
    upload_mib: int
    megapixels: int
    rate: float | None
    label_studio: str | None
    label_studio_token_file: Path | None

    def config(self) -> ServerConfig:
        """What the server is told. Raises InputError for options that do not go together or are not safe."""
        from anymask.server.config import ServerConfig

        if self.token is not None and self.token_file is not None:
            raise InputError("--token and --token-file are both given; give one of them")
        return ServerConfig(
            host=self.host,
            port=self.port,
            token=self.token if self.token_file is None else secret_of(self.token_file),
            allowed_hosts=self.allowed_hosts,
            proxies=self.proxies,
            cache_dir=self.cache,
            memory_bytes=self.memory_mib * MIB,
            disk_bytes=self.disk_mib * MIB,
            max_upload_bytes=self.upload_mib * MIB,
            max_pixels=self.megapixels * 1_000_000,
            requests_per_second=self.rate,
            label_studio=self._label_studio(),
        )

    def _label_studio(self) -> LabelStudio | None:
        from anymask.server.config import LabelStudio

        file = self.label_studio_token_file
        if self.label_studio is None:
            if file is not None:
                raise InputError(
                    "--label-studio-token-file is given without --label-studio; give its address"
                )
            return None
        return LabelStudio(self.label_studio, None if file is None else secret_of(file))


def run_server(
    models: Sequence[str],
    settings: Settings,
    *,
    precision: Precision,
    backend: Backend,
    threads: int | None,
    quiet: bool,
) -> None:
    """Serve until interrupted. Raises what `Settings.config`, `load` and `serve` do, first."""
    try:
        from anymask.server.app import create_app
        from anymask.server.run import serve
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"`anymask serve` needs the package {error.name}; pip install 'anymask[studio]'"
        ) from error
    config = settings.config()
    loaded = [load(name, precision=precision, backend=backend, threads=threads) for name in models]
    app = create_app(loaded, config)

    def tell(address: str) -> None:
        if not quiet:
            names = ", ".join(model.spec.full_name for model in loaded)
            say(f"anymask: {names} at {address} (Ctrl-C stops)")

    serve(app, config, tell)


def secret_of(file: Path) -> str:
    """The first line of a file. Raises InputError if it cannot be read or is empty."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot read '{file}': {getattr(error, 'strerror', None) or 'it is not text'}; name a text file"
        ) from error
    if not lines or not lines[0].strip():
        raise InputError(f"'{file}' is empty; put the token on its first line")
    return lines[0].strip()
