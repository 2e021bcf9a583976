"""The workspace's folder: what is found in it, and that nothing outside is reached."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anymask.server.problems import Problem
from anymask.studio.workspace import Workspace
from tests.fake_runtime import scene
from tests.server.running import png
from tests.studio.served import PICTURES, encoded, running

TRAVERSALS = [
    "../outside.png",
    "sub/../../outside.png",
    "/etc/passwd",
    "",
    ".",
    "..",
    "sub//photo.png",
    "./photo-0.png",
    "photo-0.png\0",
    "link.png",
    "linked/outside.png",
    "sub",
    "missing.png",
]


@pytest.fixture
def workspace(folder: Path) -> Workspace:
    """With a link to a file and one to a folder outside, and a picture in a folder."""
    outside = folder.parent / f"{folder.name}-outside"
    outside.mkdir()
    (outside / "outside.png").write_bytes(png())
    (folder / "link.png").symlink_to(outside / "outside.png")
    (folder / "linked").symlink_to(outside)
    (folder / "sub").mkdir()
    (folder / "sub" / "photo.png").write_bytes(png())
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "photo.png").write_bytes(png())
    return Workspace.open(folder)


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_out(workspace: Workspace, path: str) -> None:
    with pytest.raises(Problem) as told:
        workspace.file(path)
    assert told.value.status_code == 404
    assert str(workspace.root) not in told.value.detail


def test_a_plain_path_leads_to_its_file(workspace: Workspace) -> None:
    assert workspace.file("sub/photo.png").read_bytes() == png()


def test_links_and_hidden_folders_are_passed_by(workspace: Workspace) -> None:
    assert list(workspace.pictures()) == [f"photo-{n}.png" for n in range(PICTURES)] + ["sub/photo.png"]
    assert list(workspace.pictures("sub")) == ["sub/photo.png"]
    for under in ("linked", "..", ".anymask", "sub/..", "photo-0.png", "/"):
        with pytest.raises(Problem):
            list(workspace.pictures(under))


def test_the_secret_is_for_this_user_alone_and_stays(workspace: Workspace) -> None:
    first = workspace.secret()
    assert workspace.secret() == first
    assert len(first) == 32
    assert stat.S_IMODE((workspace.own / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(workspace.own.stat().st_mode) == 0o700


def test_sizes_are_those_that_people_see(folder: Path) -> None:
    """Of every EXIF orientation, in JPEG and PNG: what the scan reads from the header is what is decoded."""
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        (folder / f"turned-{orientation}.jpg").write_bytes(encoded(scene(), "JPEG", exif=exif))
        (folder / f"turned-{orientation}.png").write_bytes(encoded(scene(), "PNG", exif=exif))
    with running(folder) as studio:
        found = studio.services.store.images.all(studio.project)
        assert len(found) == PICTURES + 16
        for image in found:
            assert studio.services.pictures.picture(image).image_hw == image.image_hw, image.name
        assert {image.image_hw for image in found} == {(120, 160), (160, 120)}


def test_files_that_are_no_pictures_are_named_and_passed_by(folder: Path) -> None:
    (folder / "text.png").write_text("no picture")
    (folder / "cut.jpg").write_bytes(encoded(scene(), "JPEG")[:30])
    (folder / "empty.png").write_bytes(b"")
    (folder / "page.gif").write_text("<html><script>alert(1)</script></html>")
    (folder / "bomb.png").write_bytes(bomb())
    os.mkfifo(folder / "pipe.png")
    with running(folder) as studio:
        scan = studio.client.get(f"/api/v1/projects/{studio.project}/scan").json()
        assert (scan["running"], scan["added"], scan["broken_count"]) == (False, PICTURES, 5)
        reasons = {one["path"]: one["reason"] for one in scan["broken"]}
        assert set(reasons) == {"text.png", "cut.jpg", "empty.png", "page.gif", "bomb.png"}
        assert "more than the limit" in reasons["bomb.png"]
        assert all(str(folder) not in reason for reason in reasons.values())


def test_names_that_are_not_utf8_are_named_and_passed_by(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png")).write_bytes(png())
    with running(folder) as studio:
        scan = studio.client.get(f"/api/v1/projects/{studio.project}/scan").json()
        assert scan["added"] == PICTURES
        assert [one["path"] for one in scan["broken"]] == ["caf\\udce9.png"]


def test_new_files_are_found_again_and_known_ones_stay(folder: Path) -> None:
    with running(folder) as studio:
        before = studio.images
        (folder / "later.png").write_bytes(png())
        scan = studio.client.post(f"/api/v1/projects/{studio.project}/scan").json()
        assert (scan["found"], scan["added"]) == (PICTURES + 1, 1)
        assert set(studio.images) > set(before)
    with running(folder) as studio:  # a restart finds nothing new
        assert set(studio.images) > set(before)
        assert len(studio.images) == PICTURES + 1


def test_a_workspace_takes_a_bounded_number_of_pictures(folder: Path) -> None:
    with running(folder, workspace_images=2) as studio:
        assert len(studio.images) == 2


def test_a_purged_picture_leaves_nothing(folder: Path) -> None:
    """No row, no upload, nothing that was made of its pixels; a second project that has it keeps it."""
    with running(folder) as studio:
        studio.client.post("/api/v1/projects", json={"name": "second"})
        added = {}
        for project in studio.services.store.projects.list():
            files = {"files": ("photo.png", encoded(scene()[::-1], "PNG"))}
            answer = studio.client.post(f"/api/v1/projects/{project.id}/images", files=files)
            [added[project.name]] = answer.json()["added"]
        sha256 = studio.client.get(f"/api/v1/images/{added['second']}").json()["sha256"]
        for name, copies in (("second", 1), (folder.name, 0)):
            address = f"/api/v1/images/{added[name]}"
            assert studio.client.get(f"{address}/thumbnail").status_code == 200
            assert studio.client.post(f"{address}/embedding").status_code == 200
            assert studio.client.delete(address).status_code == 204
            assert studio.client.get(address).status_code == 404
            assert studio.client.get(f"{address}/file").status_code == 404
            left = [path.parent.name for path in (folder / ".anymask").rglob(f"{sha256}*")]
            assert left == ["uploads"] * copies
        assert (folder / "photo-0.png").exists()


def test_pictures_that_lie_in_the_folder_are_never_written_to(folder: Path) -> None:
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("*.png")}
    with running(folder) as studio:
        for image in studio.images:
            assert studio.client.get(f"/api/v1/images/{image}/thumbnail").status_code == 200
            assert studio.client.post(f"/api/v1/images/{image}/embedding").status_code == 200
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("*.png")}
    assert after == before


def bomb() -> bytes:
    """A PNG whose header states 40,000 x 40,000 pixels."""
    small = bytearray(encoded(np.zeros((1, 1), np.uint8), "PNG"))
    import zlib

    small[16:24] = (40_000).to_bytes(4, "big") * 2
    small[29:33] = zlib.crc32(small[12:29]).to_bytes(4, "big")
    return bytes(small)
