"""Images, projects and labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import InputError
from anymask.store import Conflict, Image, NotFound, Project, Store, User
from anymask.store.checks import check_path
from anymask.store.images import ORDERS
from tests.store.building import correction, new_id, new_image, new_mask, rectangle


def test_a_project_is_kept_and_changed(store: Store) -> None:
    made = store.projects.create("birds", root="photos/2026", model="lite", settings={"a": [1, None]})
    assert store.projects.get(made.id) == made
    assert (made.root, made.model, made.settings, made.counts.images) == (
        "photos/2026",
        "lite",
        {"a": [1, None]},
        0,
    )
    changed = store.projects.update(made.id, name="Vögel", model=None)
    assert (changed.name, changed.model, changed.settings) == ("Vögel", None, {"a": [1, None]})
    other = store.projects.create("other")
    assert store.projects.list() == [changed, other]
    with pytest.raises(NotFound):
        store.projects.get(new_id())
    with pytest.raises(InputError, match="inside the workspace"):
        store.projects.create("out", root="../elsewhere")


def test_a_projects_id_is_taken_once(store: Store, project: Project) -> None:
    assert store.projects.create("birds", root="", id=project.id) == project
    with pytest.raises(Conflict, match="another project"):
        store.projects.create("again", id=project.id)


def test_images_are_added_once_by_path(store: Store, project: Project) -> None:
    first = new_image("a.jpg", group_key="g", frame=3, split="train", gold=True)
    [added] = store.images.add(project.id, [first])
    assert {name: getattr(added, name) for name in vars(first)} == vars(first)
    assert (added.state, added.masks, added.image_hw) == ("new", 0, (24, 32))
    again, other = store.images.add(project.id, [new_image("a.jpg"), new_image("b.jpg")])
    assert again == added
    assert store.images.paths(project.id) == {"a.jpg", "b.jpg"}
    assert store.images.of_path(project.id, "b.jpg") == other
    assert store.images.of_path(project.id, "c.jpg") is None
    assert store.images.all(project.id) == [added, other]
    with pytest.raises(Conflict, match="fresh"):
        store.images.add(project.id, [new_image("c.jpg", id=added.id)])
    with pytest.raises(NotFound):
        store.images.add(new_id(), [new_image("a.jpg")])


@pytest.mark.parametrize(
    "path",
    [
        "../a.jpg",
        "a/../../b.jpg",
        "/etc/passwd",
        "a//b.jpg",
        "./a.jpg",
        "a/.",
        "a\\..\\b.jpg",
        "C:/a.jpg",
        "c:a.jpg",
        "",
        " ",
        "a\0.jpg",
        "a\n.jpg",
        "a/",
        "..",
        None,
        b"a.jpg",
    ],
)
def test_paths_cannot_leave_the_root(store: Store, project: Project, path: Any) -> None:
    with pytest.raises(InputError):
        store.images.add(project.id, [replace(new_image("a.jpg"), path=path)])
    assert store.images.paths(project.id) == set()


@given(st.text(st.sampled_from("ab./\\:C\n "), max_size=8))
def test_a_path_that_passes_stays_below_where_it_starts(path: str) -> None:
    try:
        check_path(path)
    except InputError:
        return
    assert not {"", ".", ".."} & set(path.split("/"))
    assert "\\" not in path
    assert not (path[0].isalpha() and path[1:2] == ":"), "a drive"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "1"},
        {"sha256": "0"},
        {"width": 0},
        {"height": 10**7},
        {"bytes": -1},
        {"frame": -1},
        {"frame": 1.5},
        {"gold": 1},
        {"split": ""},
        {"name": "a\x1bb"},
        {"name": "\ud800"},
    ],
)
def test_facts_that_cannot_be_are_refused(store: Store, project: Project, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        store.images.add(project.id, [new_image("a.jpg", **wrong)])


def test_facts_are_changed(store: Store, image: Image) -> None:
    changed = store.images.update(image.id, gold=True, split="val", group_key="bird 7", frame=2)
    assert changed == replace(image, gold=True, split="val", group_key="bird 7", frame=2)
    assert store.images.update(image.id, split=None) == replace(changed, split=None)
    assert store.images.update(image.id) == store.images.get(image.id)
    with pytest.raises(NotFound):
        store.images.update(new_id(), gold=True)


@pytest.mark.parametrize("order", [sign + name for name in ORDERS for sign in ("", "-")])
def test_pages_give_every_image_once_in_order(store: Store, project: Project, order: str) -> None:
    names = ["b", "a", "Z", "ä", "a b", "a-b", "10", "9", "a_b", "A"]
    images = store.images.add(project.id, [new_image(f"d{i % 3}/{name}") for i, name in enumerate(names)])
    for image in images[:4]:
        store.masks.save(new_mask(image))
    seen: list[Image] = []
    cursor = None
    while True:
        page = store.images.page(project.id, order=order, limit=3, cursor=cursor)
        seen += [found.image for found in page.items]
        if page.next is None:
            break
        cursor = page.next
    descending, field = order.startswith("-"), order.lstrip("-")
    expected = sorted(seen, key=lambda image: image.id)
    expected.sort(key=lambda image: _key(getattr(image, field)), reverse=descending)
    assert [image.id for image in seen] == [image.id for image in expected]
    assert len({image.id for image in seen}) == len(names)


def test_a_page_goes_on_where_it_ended_whatever_was_added(store: Store, project: Project) -> None:
    store.images.add(project.id, [new_image(f"{letter}.jpg") for letter in "bdfh"])
    first = store.images.page(project.id, limit=2)
    store.images.add(project.id, [new_image(f"{letter}.jpg") for letter in "aceg"])
    second = store.images.page(project.id, limit=10, cursor=first.next)
    assert [found.image.name for found in first.items] == ["b.jpg", "d.jpg"]
    assert [found.image.name for found in second.items] == ["e.jpg", "f.jpg", "g.jpg", "h.jpg"]


def test_a_gallery_is_searched_and_filtered(store: Store, project: Project) -> None:
    duck, *_ = store.images.add(
        project.id, [new_image("lake/Duck_1%.jpg"), new_image("lake/swan.jpg"), new_image("x.jpg")]
    )
    label = store.labels.create(project.id, "bird")
    mask = store.masks.save(new_mask(duck, label_id=label.id))

    def names(**chosen: Any) -> list[str]:
        return [found.image.name for found in store.images.page(project.id, **chosen).items]

    assert names(search="DUCK") == ["Duck_1%.jpg"]
    assert names(search="lake/") == ["Duck_1%.jpg", "swan.jpg"]
    assert names(search="_") == ["Duck_1%.jpg"], "no wildcard"
    assert names(search="1%.") == ["Duck_1%.jpg"]
    assert names(state="in_progress") == ["Duck_1%.jpg"]
    assert names(state="new") == ["swan.jpg", "x.jpg"]
    assert names(label=label.id) == ["Duck_1%.jpg"]
    assert store.images.page(project.id, label=label.id).items[0].labels == (label.id,)
    store.masks.save(correction(mask, label_id=None))
    assert names(label=label.id) == []
    assert store.images.page(project.id).items[0].labels == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"order": "sha256"},
        {"order": "name; DROP TABLE images"},
        {"order": "--name"},
        {"state": "lost"},
        {"label": "' OR 1=1"},
        {"limit": 0},
        {"limit": 1001},
        {"cursor": "nonsense"},
        {"cursor": "é"},
        {"cursor": ""},
        {"cursor": "WzEsMiwzXQ"},
        {"cursor": "WyJuYW1lIiwxLCJhIl0"},
        {"search": "\0"},
    ],
)
def test_a_gallery_refuses_what_it_does_not_know(
    store: Store, project: Project, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InputError):
        store.images.page(project.id, **wrong)


def test_a_cursor_belongs_to_its_order(store: Store, project: Project) -> None:
    store.images.add(project.id, [new_image("a.jpg"), new_image("b.jpg")])
    cursor = store.images.page(project.id, limit=1).next
    with pytest.raises(InputError, match="another order"):
        store.images.page(project.id, limit=1, order="-name", cursor=cursor)


def test_purging_removes_all_that_was_known(store: Store, project: Project, image: Image, anna: User) -> None:
    other = store.images.add(project.id, [new_image("b.jpg")])[0]
    kept = store.masks.save(new_mask(other))
    first = store.masks.save(new_mask(image))
    second = store.masks.save(correction(first))
    store.reviews.give(second.id, anna.id, "accepted")
    store.tasks.create_for([image.id])
    snapshot = store.snapshots.freeze(project.id, "v1", states=("new", "in_progress", "accepted"))
    assert store.snapshots.verify(snapshot.id)
    assert store.images.purge(image.id).path == "a.jpg"
    for gone in (lambda: store.images.get(image.id), lambda: store.masks.get(first.id)):
        with pytest.raises(NotFound):
            gone()
    assert store.masks.heads(other.id) == [kept]
    assert store.tasks.counts(project.id)["open"] == 0
    assert not store.snapshots.verify(snapshot.id)
    with pytest.raises(NotFound):
        store.images.purge(image.id)


def test_labels_are_kept_in_order(store: Store, project: Project) -> None:
    fields = [
        {"name": "side", "kind": "select", "choices": ["left", "right"]},
        {"name": "n", "kind": "number"},
    ]
    duck = store.labels.create(project.id, "duck", hotkey="1", attributes=fields)
    swan = store.labels.create(project.id, "swan", colour="#ffffff")
    assert duck.attributes == [fields[0], {**fields[1], "choices": []}]
    assert duck.colour != swan.colour == "#ffffff"
    assert [label.name for label in store.labels.list(project.id)] == ["duck", "swan"]
    store.labels.update(duck.id, position=9, name="mallard")
    assert [label.name for label in store.labels.list(project.id)] == ["swan", "mallard"]
    assert store.labels.create(project.id, "swan", id=swan.id).id == swan.id, "sent again"
    with pytest.raises(Conflict, match="'swan'"):
        store.labels.create(project.id, "swan")
    with pytest.raises(Conflict, match="'swan'"):
        store.labels.update(duck.id, name="swan")
    assert store.labels.create(store.projects.create("other").id, "swan").position == 0


def test_a_hotkey_belongs_to_one_label(store: Store, project: Project) -> None:
    duck = store.labels.create(project.id, "duck", hotkey="1")
    swan = store.labels.create(project.id, "swan", hotkey="1")
    assert (store.labels.get(duck.id).hotkey, swan.hotkey) == (None, "1")
    assert store.labels.update(duck.id, hotkey="1").hotkey == "1"
    assert store.labels.get(swan.id).hotkey is None
    assert store.labels.archive(duck.id).hotkey is None


def test_merging_gives_every_object_the_other_label(
    store: Store, project: Project, image: Image, anna: User
) -> None:
    duck, swan = (store.labels.create(project.id, name) for name in ("duck", "swan"))
    live = store.masks.save(new_mask(image, label_id=duck.id, attributes={"a": 1}))
    gone = store.masks.save(new_mask(image, label_id=duck.id))
    gone = store.masks.save(correction(gone, deleted=True, label_id=duck.id))
    other = store.masks.save(new_mask(image, rectangle(0, 0, 3, 3), label_id=swan.id))
    assert store.labels.counts(project.id) == {duck.id: 1, swan.id: 1}
    store.labels.merge(duck.id, swan.id, author_id=anna.id)
    assert store.labels.get(duck.id).archived
    assert store.labels.counts(project.id) == {swan.id: 2}
    merged = store.masks.history(live.object_id)
    assert merged[0] == live
    assert merged[1].parent_id == live.id
    assert merged[1] == replace(
        live,
        id=merged[1].id,
        parent_id=live.id,
        label_id=swan.id,
        author_id=anna.id,
        created=merged[1].created,
    )
    assert store.masks.history(gone.object_id)[-1] == gone
    assert store.masks.get(other.id) == other
    with pytest.raises(InputError, match="another one"):
        store.labels.merge(swan.id, swan.id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"colour": "red"},
        {"colour": "#FFFFFF"},
        {"hotkey": "10"},
        {"hotkey": "x"},
        {"attributes": [{"name": "a", "kind": "dance"}]},
        {"attributes": [{"name": "a", "kind": "select"}]},
        {"attributes": [{"name": "a", "kind": "text"}, {"name": "a", "kind": "number"}]},
        {"attributes": [{"name": "a", "kind": "text", "more": 1}]},
        {"attributes": ["a"]},
        {"attributes": [{"name": "a", "kind": "select", "choices": [1]}]},
        {"id": "x"},
    ],
)
def test_labels_that_cannot_be_are_refused(store: Store, project: Project, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        store.labels.create(project.id, **{"name": "duck", **wrong})
    if "id" not in wrong:
        duck = store.labels.create(project.id, "duck")
        with pytest.raises(InputError):
            store.labels.update(duck.id, **wrong)


def _key(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value
