"""What a studio allows, beyond what every server of ours does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from anymask.core.errors import InputError
from anymask.server.config import MIB, ServerConfig

GIB = 1024 * MIB


@dataclass(frozen=True)
class StudioConfig(ServerConfig):
    """Settings of a studio; the defaults are for one person on one machine.

    accounts: ask who is there even where only this machine can connect. Elsewhere it is always asked.
    session_hours: after this long without a request a person logs in again.
    workspace_bytes: what the uploads of a workspace may take on disk.
    workspace_images: how many pictures a workspace may hold.
    ahead: how many of the next pictures are embedded while somebody works on one.
    model_folders: where the files of the served models lie; browsers get their decoders.

    Raises InputError for values that cannot be meant or are not safe.
    """

    port: int = 8765
    body_seconds: float = 300.0  # photos over a slow line; strangers are not listened to
    accounts: bool = False
    session_hours: float = 12.0
    workspace_bytes: int = 50 * GIB
    workspace_images: int = 1_000_000
    ahead: int = 3
    model_folders: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("session_hours", "workspace_bytes", "workspace_images"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} is {getattr(self, name)}; give a number above 0")
        if self.ahead < 0:
            raise InputError(f"ahead is {self.ahead}; give 0 or more")

    @property
    def has_accounts(self) -> bool:
        """Whether people log in; otherwise everybody who can connect is the local administrator."""
        return self.accounts or not self.is_local

    def _check_reach(self) -> None:
        """Anywhere: where others can connect, they log in."""
