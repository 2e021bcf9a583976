"""What others must not be able to do: every point of the list of attacks that labelling tools fell to."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from anymask.core.rle import encode
from anymask.store import NewMask
from anymask.studio.app import studio_api
from tests.fake_runtime import scene
from tests.server.running import png
from tests.studio.served import PASSWORD, Running, encoded, fill, new_id, running
from tests.studio.test_workspace import bomb

API = "/api/v1"
PATHS: dict[str, dict[str, Any]] = studio_api().openapi()["paths"]
OPERATIONS = [(method.upper(), path) for path, methods in PATHS.items() for method in methods]
FOR_STRANGERS = {"/api/v1/me", "/api/v1/login", "/api/v1/setup", "/api/v1/redeem"}
FOR_ADMINS = {
    ("GET", "/api/v1/users"),
    ("POST", "/api/v1/users"),
    ("PATCH", "/api/v1/users/{id}"),
    ("POST", "/api/v1/invitations"),
    ("POST", "/api/v1/projects"),
    ("PATCH", "/api/v1/projects/{id}"),
    ("DELETE", "/api/v1/images/{id}"),
}
NAMES = ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "=cmd|'/c calc'!A1", "a\u202egnp.exe"]


@dataclass
class Tenants:
    """inside, outside: browsers of an annotator who may see the project, and of one who may not."""

    studio: Running
    inside: httpx.Client
    outside: httpx.Client
    ids: dict[str, str]


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    """Two teams on one server; everything of the first team's has an id that the other one knows."""
    folder = tmp_path_factory.mktemp("tenants")
    fill(folder)
    with running(folder, accounts=True) as studio:
        store = studio.services.store
        store.people.create("boss", "admin", password=PASSWORD)
        with studio.person("inside", "reviewer") as inside, studio.person("outside", "reviewer") as outside:
            me = inside.get(f"{API}/me").json()["user"]["id"]
            store.projects.update(studio.project, settings={"members": [me]})
            yield Tenants(studio, inside, outside, everything_of(studio, inside, me))


def everything_of(studio: Running, inside: httpx.Client, me: str) -> dict[str, str]:
    """Ids of one of each kind of the first project's things."""
    store, project, image = studio.services.store, studio.project, studio.images[0]
    mask = np.zeros((120, 160), bool)
    mask[20:70, 30:80] = True
    saved = store.masks.save(NewMask(id=new_id(), image_id=image, object_id=new_id(), rle=encode(mask)))
    task = store.tasks.claim(project, me)
    assert task is not None
    run = inside.post(f"{API}/images/{image}/everything", json={"settings": {"points_per_side": 2}})
    label = inside.post(f"{API}/projects/{project}/labels", json={"name": "square"})
    snapshot = inside.post(f"{API}/projects/{project}/snapshots", json={"name": "first"})
    job = store.jobs.enqueue("nobody works on this kind", {}, project_id=project)
    return {
        "jobs": job.id,
        "projects": project,
        "images": image,
        "tasks": task.id,
        "objects": saved.object_id,
        "masks": saved.id,
        "labels": label.json()["id"],
        "snapshots": snapshot.json()["id"],
        "everything": run.json()["run"],
        "users": me,
    }


def address(path: str, ids: dict[str, str]) -> str:
    """A path of the OpenAPI document with the ids of its things put in."""
    kind = path.split("/")[3]
    known = ids.get(kind, "0" * 32)
    filled = path.replace("{id}", known).replace("{run}", known).replace("{sha256}", "0" * 64)
    return filled.replace("{graph}", "decoder")


BODIES: dict[str, dict[str, Any]] = {
    "renew": {"lease_token": "0" * 32},
    "finish": {"lease_token": "0" * 32},
    "skip": {"lease_token": "0" * 32},
    "release": {"lease_token": "0" * 32},
    "merge": {"into": "0" * 32},
    "review": {"verdict": "comment", "comment": "hello"},
}
"""Right bodies where nothing is looked up for wrong ones, by the end of the path; {} for the others."""


def ask(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """A request; of an endless answer only the beginning is read."""
    body = BODIES.get(path.rpartition("/")[2], {}) if method in ("POST", "PATCH") else None
    with client.stream(method, path, json=body) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
        return answer


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_strangers_learn_nothing(tenants: Tenants, method: str, path: str) -> None:
    with tenants.studio.visitor() as stranger:
        answer = ask(stranger, method, address(path, tenants.ids))
    if path in FOR_STRANGERS:
        assert answer.status_code in (200, 422)
    else:
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(("method", "path"), [(m, p) for m, p in OPERATIONS if "{" in p])
def test_what_is_another_teams_is_as_if_it_were_not(tenants: Tenants, method: str, path: str) -> None:
    """For every address with an id: 404, word for word what an id of nothing gets."""
    theirs = ask(tenants.outside, method, address(path, tenants.ids))
    nothing = ask(tenants.outside, method, address(path, dict.fromkeys(tenants.ids, new_id())))
    if path.startswith("/api/v1/everything"):
        nothing = ask(tenants.outside, method, address(path, {"everything": "f" * 64}))
    assert theirs.status_code == (403 if path == "/api/v1/users/{id}" else 404)
    assert (theirs.status_code, theirs.content) == (nothing.status_code, nothing.content)


@pytest.mark.parametrize(("method", "path"), [(m, p) for m, p in OPERATIONS if "{" in p])
def test_its_own_team_reaches_it(tenants: Tenants, method: str, path: str) -> None:
    """Otherwise the test above would say nothing."""
    if path.startswith("/api/v1/models") or path.endswith("/merge") or (method, path) in FOR_ADMINS:
        return  # there is no model of that id, and no label to merge with; not for reviewers
    answer = ask(tenants.inside, method, address(path, tenants.ids))
    assert answer.status_code not in (401, 404, 500), answer.text


def test_another_teams_things_are_in_no_list(tenants: Tenants) -> None:
    assert tenants.outside.get(f"{API}/projects").json() == {"items": [], "next": None}
    assert len(tenants.inside.get(f"{API}/projects").json()["items"]) == 1


def test_ids_in_bodies_lead_to_no_other_team(tenants: Tenants) -> None:
    """A task, mask, merge, export or presence that names another project's thing."""
    studio, ids = tenants.studio, tenants.ids
    mine = studio.services.store.projects.create("theirs", settings={"members": [me_of(tenants.outside)]})
    new = studio.services.uploads.keep(png(scene()[::-1]), "mine.png")
    [image] = studio.services.store.images.add(mine.id, [new])
    label = tenants.outside.post(f"{API}/projects/{mine.id}/labels", json={"name": "mine"}).json()["id"]
    rle = encode(np.ones((120, 160), bool)).to_coco()
    row = {"id": new_id(), "object_id": new_id(), "rle": rle}
    tried = {
        f"/projects/{mine.id}/tasks/next": {"image": ids["images"]},
        f"/labels/{label}/merge": {"into": ids["labels"]},
        f"/images/{image.id}/propagate": {"source": ids["images"]},
        f"/projects/{mine.id}/export": {"format": "coco", "images": [ids["images"]]},
        f"/projects/{mine.id}/presence": {"client": "page", "image": ids["images"]},
    }
    for path, body in tried.items():
        answer = tenants.outside.post(f"{API}{path}", json=body)
        assert answer.status_code in (404, 422), (path, answer.text)
        assert "square" not in answer.text
    snapshot = {"format": "coco", "snapshot": ids["snapshots"]}
    assert tenants.outside.post(f"{API}/projects/{mine.id}/export", json=snapshot).status_code == 404
    for wrong in (
        {**row, "label_id": ids["labels"]},
        {**row, "parent_id": ids["masks"], "object_id": ids["objects"]},
        {**row, "object_id": ids["objects"]},
    ):
        answer = tenants.outside.post(f"{API}/images/{image.id}/masks", json={"masks": [wrong]})
        assert answer.status_code in (404, 409, 422), answer.text
        assert answer.json().get("head") is None


def me_of(client: httpx.Client) -> str:
    found: str = client.get(f"{API}/me").json()["user"]["id"]
    return found


def test_leaving_a_team_counts_at_once(folder: Path) -> None:
    with running(folder, accounts=True) as studio, studio.person("guest") as guest:
        address = f"{API}/images/{studio.images[0]}/file"
        assert guest.get(address).status_code == 200
        studio.services.store.projects.update(studio.project, settings={"members": []})
        assert guest.get(address).status_code == 404


@pytest.mark.parametrize(("method", "path"), [(m, p) for m, p in OPERATIONS if m != "GET"])
def test_every_write_asks_for_the_csrf_token(tenants: Tenants, method: str, path: str) -> None:
    if path in FOR_STRANGERS:
        return
    client = tenants.inside
    right = client.headers.pop("X-CSRF-Token")
    try:
        for wrong in ({}, {"X-CSRF-Token": "x" * len(right)}, {"X-CSRF-Token": ""}):
            answer = client.request(method, address(path, tenants.ids), json={}, headers=wrong)
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    finally:
        client.headers["X-CSRF-Token"] = right


def test_a_csrf_token_is_for_one_session(tenants: Tenants) -> None:
    theirs = {"X-CSRF-Token": tenants.inside.headers["X-CSRF-Token"]}
    path = f"{API}/projects/{tenants.studio.project}/tasks/next"
    assert tenants.outside.post(path, json={}, headers=theirs).json()["code"] == "csrf"


def test_on_loopback_writes_ask_for_it_too(studio: Running) -> None:
    with studio.visitor() as other:
        path = f"{API}/projects/{studio.project}/scan"
        assert other.post(path).json()["code"] == "csrf"
        # what a form of a foreign page could send
        form = other.post(path, data={"a": "b"}, headers={"Origin": "https://evil.example"})
        assert form.json()["code"] == "foreign_origin"


@pytest.mark.parametrize("path", ["/", "/api/v1/me", "/v1/models"])
def test_other_sites_and_other_names_are_refused(studio: Running, path: str) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert studio.client.get(path, headers=headers).json()["code"] == "foreign_origin"
    assert studio.client.get(path, headers={"Host": "evil.example"}).json()["code"] == "wrong_host"


def test_no_other_origin_is_ever_allowed(studio: Running) -> None:
    own = studio.client.get(f"{API}/me", headers={"Origin": studio.address})
    asked = studio.client.options(f"{API}/me", headers={"Access-Control-Request-Method": "POST"})
    for answer in (own, asked):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_without_accounts_nobody_listens_elsewhere_unknown(folder: Path) -> None:
    with running(folder, host="0.0.0.0") as studio:
        me = studio.client.get(f"{API}/me").json()
        assert (me["user"], me["accounts"]) == (None, True)
        assert studio.client.get(f"{API}/projects").status_code == 401
        assert studio.client.get("/v1/models").status_code == 401


def test_the_api_of_serve_is_for_the_same_people(tenants: Tenants) -> None:
    with tenants.studio.visitor() as stranger:
        for path in ("/v1/models", "/label-studio/setup", "/x-anylabeling/v1/models"):
            assert stranger.get(path).status_code == 401
        assert stranger.get("/v1/health").status_code == 200
        assert stranger.get("/v1/models", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert tenants.inside.get("/v1/models").status_code == 200


def test_programs_show_a_token_for_the_api_of_serve_and_nothing_else(folder: Path) -> None:
    token = "a-token-of-some-length"
    shown = {"Authorization": f"Bearer {token}"}
    with running(folder, accounts=True, token=token) as studio:
        assert studio.client.get("/v1/models", headers=shown).status_code == 200
        assert studio.client.get("/v1/models", headers={"Token": "wrong"}).status_code == 401
        assert studio.client.get(f"{API}/projects", headers=shown).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/..%2f..%2fapp.py",
        "/%2e%2e/app.py",
        "/assets/..%2f..%2fapp.py",
        "/%2fetc%2fpasswd",
        "/C:%5cwindows%5cwin.ini",
        "/api/v1/images/..%2f..%2fme/file",
        "/api/v1/images/%2e%2e/file",
        "/app.py%00.png",
    ],
)
def test_no_address_leads_to_a_file_of_ours(studio: Running, path: str) -> None:
    raw = raw_get(studio, path)
    assert raw.split(b" ", 2)[1] in (b"404", b"422")
    assert b"root:" not in raw
    assert b"def create_studio" not in raw


def raw_get(studio: Running, path: str) -> bytes:
    """A GET of exactly this path: clients tidy paths up before they send them."""
    host, port = studio.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 30) as connection:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


UPLOADS = {
    "a page that calls itself PNG": ("photo.png", b"<html><script>alert(1)</script></html>"),
    "a drawing with a script": ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
    "a text": ("photo.jpg", b"hello"),
    "nothing": ("photo.png", b""),
    "a bomb": ("bomb.png", bomb()),
    "half a picture": ("half.png", png()[: len(png()) // 2]),
    "a zip": ("photo.png", b"PK\x03\x04" + bytes(100)),
}


@pytest.mark.parametrize(("name", "data"), UPLOADS.values(), ids=UPLOADS)
def test_uploads_are_judged_by_their_content(studio: Running, name: str, data: bytes) -> None:
    before = set(studio.services.workspace.uploads.iterdir())
    answer = upload(studio, name, data)
    assert answer.status_code == 200
    assert answer.json()["added"] == []
    assert answer.json()["refused"][0]["name"] == name
    assert set(studio.services.workspace.uploads.iterdir()) == before


@pytest.mark.parametrize("name", ["../../evil.html", "/etc/passwd", "C:\\evil.exe", "photo.png.php", *NAMES])
def test_uploads_get_names_of_the_servers_own(studio: Running, name: str) -> None:
    seed = sum(name.encode())
    data = encoded(np.roll(scene(), seed, axis=0), "PNG")
    [image] = upload(studio, name, data).json()["added"]
    known = studio.client.get(f"{API}/images/{image}")
    assert known.headers["content-type"] == "application/json"
    assert known.json()["path"] == f".anymask/uploads/{known.json()['sha256']}.png"
    shown = known.json()["name"]
    assert not set(shown) & set("/\\\u202e")
    file = studio.client.get(f"{API}/images/{image}/file")
    assert file.headers["content-type"] == "image/png"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.content == data


def upload(studio: Running, name: str, data: bytes) -> httpx.Response:
    """Sent by hand: clients refuse to send some names."""
    quoted = name.replace('"', "%22")
    body = (
        f'--b\r\nContent-Disposition: form-data; name="files"; filename="{quoted}"\r\n'
        "Content-Type: image/png\r\n\r\n"
    ).encode() + data
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    path = f"{API}/projects/{studio.project}/images"
    return studio.client.post(path, content=body + b"\r\n--b--\r\n", headers=headers)


def test_the_same_upload_twice_is_one_picture(folder: Path) -> None:
    with running(folder) as studio:
        answers = [upload(studio, name, png(scene()[::-1])).json()["added"] for name in ("a.png", "b.png")]
        assert answers[0] == answers[1]


def test_uploads_have_a_quota(folder: Path) -> None:
    with running(folder, workspace_bytes=3 * len(png())) as studio:
        files = [encoded(np.roll(scene(), n, axis=0), "PNG") for n in range(8)]
        codes = [upload(studio, f"{n}.png", data).status_code for n, data in enumerate(files)]
        assert codes[0] == 200
        assert codes[-1] == 507
        used = sum(path.stat().st_size for path in studio.services.workspace.uploads.iterdir())
        assert used <= 3 * len(png())


def test_files_and_bodies_have_a_limit(folder: Path) -> None:
    with running(folder, max_upload_bytes=1 << 20, max_body_bytes=4096) as studio:
        noise = np.random.default_rng(0).integers(0, 255, (800, 800, 3), np.uint8)
        refused = upload(studio, "large.bmp", encoded(noise, "BMP"))
        assert (refused.status_code, refused.json().get("refused", [{}])[0].get("name")) in (
            (200, "large.bmp"),
            (413, None),
        )
        assert upload(studio, "huge.bmp", bytes(3 << 20)).status_code == 413
        prompt = f"{API}/images/{studio.images[0]}/prompt"
        assert studio.client.post(prompt, json={"points": [[1, 1]] * 2000}).status_code == 413
        assert studio.client.post(f"{API}/login", content=b" " * 70_000).status_code == 413


def test_names_travel_as_json_alone(studio: Running) -> None:
    for name in NAMES:
        label = studio.client.post(f"{API}/projects/{studio.project}/labels", json={"name": name})
        project = studio.client.post(f"{API}/projects", json={"name": name})
        for answer in (label, project):
            assert answer.status_code == 201, answer.text
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.json()["name"] == name


def test_lists_are_sorted_by_what_is_allowed_alone(studio: Running) -> None:
    path = f"{API}/projects/{studio.project}/images"
    for order in ("password_hash", "path; DROP TABLE images", "-", "project_id", "--name"):
        assert studio.client.get(path, params={"order": order}).status_code == 422
    for cursor in ("no", "e30", "WyJuYW1lIiwxLDJd", "\0", "../.."):
        assert studio.client.get(path, params={"cursor": cursor}).status_code == 422


def test_errors_tell_nothing_of_the_machine(studio: Running, folder: Path) -> None:
    image = studio.images[-1]
    row = studio.services.store.images.get(image)
    place = studio.services.workspace.root / row.path
    kept = place.read_bytes()
    try:
        place.write_bytes(b"no longer a picture".ljust(len(kept)))
        for path in (f"{API}/images/{image}/file", f"{API}/images/{image}/thumbnail"):
            answer = studio.client.get(path)
            assert answer.status_code in (415, 422)
            assert_tells_nothing(answer, studio)
        place.write_bytes(png(scene()[::-1, ::-1]) + b" ")
        for code in ("changed_file", "no_file"):
            answer = studio.client.get(f"{API}/images/{image}/file")
            assert (answer.status_code, answer.json()["code"]) == (404, code)
            assert_tells_nothing(answer, studio)
            place.unlink(missing_ok=True)
    finally:
        place.write_bytes(kept)


def test_what_nobody_foresaw_is_a_number(studio: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"secret of {studio.services.workspace.root}")

    monkeypatch.setattr(studio.services.store.projects, "list", broken)
    answer = studio.client.get(f"{API}/projects")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert_tells_nothing(answer, studio)


def assert_tells_nothing(answer: httpx.Response, studio: Running) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(studio.services.workspace.root) not in answer.text
    assert "Traceback" not in answer.text
    assert "secret of" not in answer.text
    assert set(json.loads(answer.text)) == {"title", "status", "code", "detail"}


def test_settings_cannot_lock_the_administrator_out(folder: Path) -> None:
    with running(folder, accounts=True) as studio, studio.person("boss", "admin") as boss:
        path = f"{API}/projects/{studio.project}"
        assert boss.patch(path, json={"settings": {"members": []}}).status_code == 200
        assert boss.get(path).status_code == 200
        for wrong in ({"members": "all"}, {"members": [1]}, {"members": {}}):
            assert boss.patch(path, json={"settings": wrong}).status_code == 422


def test_projects_lie_inside_the_workspace(studio: Running) -> None:
    (studio.services.workspace.root / "inner").mkdir(exist_ok=True)
    for root in ("..", "/etc", "inner/../..", ".anymask", ".anymask/uploads", "missing", "inner/"):
        answer = studio.client.post(f"{API}/projects", json={"name": "out", "root": root})
        assert answer.status_code in (404, 422), root
    made = studio.client.post(f"{API}/projects", json={"name": "in", "root": "inner"})
    assert made.json()["root"] == "inner"


def test_asking_for_a_project_twice_makes_one(studio: Running) -> None:
    body = {"id": new_id(), "name": "once"}
    first, second = (studio.client.post(f"{API}/projects", json=body) for _ in range(2))
    assert first.json() == second.json()
    other = studio.client.post(f"{API}/projects", json={**body, "name": "twice"})
    assert other.status_code == 409


HOSTILE = {
    "deep": '{"name": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep settings": '{"name": "a", "settings": {"a": ' + "[" * 5_000 + "]" * 5_000 + "}}",
    "half a character": '{"name": "\\ud800"}',
    "a zero": '{"name": "a\\u0000b"}',
    "not a number": '{"name": "a", "settings": {"a": NaN}}',
    "endless": '{"name": "a", "settings": {"a": 1e999}}',
    "a number too long": '{"name": "a", "settings": {"a": ' + "9" * 5_000 + "}}",
    "twice": '{"name": "a", "name": 1}',
    "not UTF-8": '{"name": "\xe9"}',
    "a prototype": '{"name": "a", "__proto__": {"role": "admin"}}',
    "a class": '{"name": "a", "__class__": "os.system"}',
    "no object": '["name"]',
    "nothing": "",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_refused_in_one_line(studio: Running, body: str) -> None:
    before = len(studio.services.store.projects.list())
    for path in (f"{API}/projects", f"{API}/projects/{studio.project}/labels"):
        answer = studio.client.post(
            path, content=body.encode("latin-1"), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422), answer.text
        assert_tells_nothing(answer, studio)
    assert len(studio.services.store.projects.list()) == before


def rle(counts: str, size: tuple[int, int] = (120, 160)) -> dict[str, Any]:
    return {"size": list(size), "counts": counts}


MASKS = {
    "a bomb": rle("0", (100_000, 100_000)),
    "another size": rle("PPh0", (10, 10)),
    "too short": rle("1"),
    "too long": rle("o" * 100_000),
    "no RLE": rle("\x7f~~~"),
    "other letters": rle("äöü"),
    "negative": rle("OOOOOO"),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_hostile_masks_are_refused_in_one_line(studio: Running, mask: dict[str, Any]) -> None:
    image = f"{API}/images/{studio.images[0]}"
    row = {"id": new_id(), "object_id": new_id(), "rle": mask}
    for path, body in (
        (f"{image}/masks", {"masks": [row]}),
        (f"{image}/edit", {"operation": "fill_holes", "masks": [mask]}),
        (f"{image}/prompt", {"mask": mask}),
    ):
        answer = studio.client.post(path, json=body)
        assert answer.status_code == 422, answer.text
        assert_tells_nothing(answer, studio)
