"""Pictures on their way to the browser and the model: the same pixels in both, whatever the file."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from safetensors.numpy import load

from anymask.core.images import Picture, load_image
from anymask.store import Image as Row
from tests.fake_runtime import FakeRuntime, scene
from tests.server.running import wait_until
from tests.studio.served import PICTURES, Running, encoded, fill, running

API = "/api/v1"


def cmyk() -> bytes:
    file = io.BytesIO()
    Image.fromarray(scene()).convert("CMYK").save(file, "JPEG")
    return file.getvalue()


def turned(format: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(scene(), format, exif=exif)


def deep() -> bytes:
    return encoded(scene()[..., 0].astype(np.uint16) * 200, "PNG")


def deep_colour() -> bytes:
    return bytes(cv2.imencode(".png", scene().astype(np.uint16) * 16)[1])


def see_through() -> bytes:
    return encoded(np.dstack([scene(), np.full((120, 160), 128, np.uint8)]), "PNG")


def palette() -> bytes:
    file = io.BytesIO()
    Image.fromarray(scene()).quantize(16).save(file, "PNG")
    return file.getvalue()


def film() -> bytes:
    frames = [Image.fromarray(np.roll(scene(), 9 * n, 0)) for n in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def two_in_one() -> bytes:
    """As phones write them: a second picture, for depth or brightness, behind the first."""
    file = io.BytesIO()
    first, second = Image.fromarray(scene()), Image.fromarray(scene()[::-1])
    first.save(file, "MPO", save_all=True, append_images=[second])
    return file.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "two-in-one.jpg": two_in_one,
    "plain.jpg": lambda: encoded(scene(), "JPEG", quality=90),
    "grey.jpg": lambda: encoded(scene()[..., 0], "JPEG"),
    "cmyk.jpg": cmyk,
    "turned.jpg": lambda: turned("JPEG"),
    "turned.png": lambda: turned("PNG"),
    "turned.webp": lambda: turned("WEBP"),
    "deep.png": deep,
    "deep-colour.png": deep_colour,
    "see-through.png": see_through,
    "palette.png": palette,
    "film.gif": film,
    "scan.tif": lambda: encoded(scene(), "TIFF"),
    "old.bmp": lambda: encoded(scene(), "BMP"),
    "new.avif": lambda: encoded(scene(), "AVIF"),
    "small.webp": lambda: encoded(scene(), "WEBP", lossless=True),
}


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A studio over one file of each kind."""
    folder = tmp_path_factory.mktemp("album")
    for name, make in FILES.items():
        (folder / name).write_bytes(make())
    with running(folder) as studio:
        yield studio


def row(studio: Running, name: str) -> Row:
    return next(one for one in studio.services.store.images.all(studio.project) if one.name == name)


def browser_sees(answer: httpx.Response) -> np.ndarray:
    """The pixels that a browser decodes: Pillow's, which turns nothing by itself, so nothing may need it."""
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    assert image.getexif().get(0x0112, 1) == 1
    assert image.format in ("JPEG", "MPO", "PNG", "WEBP")
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", FILES)
def test_the_browser_sees_the_pixels_that_the_model_sees(album: Running, name: str) -> None:
    image = row(album, name)
    answer = album.client.get(f"{API}/images/{image.id}/file")
    model_sees = load_image(FILES[name]())
    assert np.array_equal(browser_sees(answer), model_sees.pixels)
    assert (image.height, image.width) == model_sees.image_hw


@pytest.mark.parametrize("size", [128, 256, 512])
@pytest.mark.parametrize("name", FILES)
def test_thumbnails_show_the_same_picture(album: Running, name: str, size: int) -> None:
    image = row(album, name)
    small = browser_sees(album.client.get(f"{API}/images/{image.id}/thumbnail", params={"size": size}))
    assert max(small.shape[:2]) == min(size, max(image.height, image.width))
    large = load_image(FILES[name]()).pixels
    shrunk = cv2.resize(large, small.shape[1::-1], interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(shrunk - small).mean() < 8


def test_a_large_photo_keeps_its_orientation_when_decoded_at_a_fraction(tmp_path: Path) -> None:
    """JPEG is decoded at a half, quarter or eighth of its size."""
    large = cv2.resize(scene(), (1600, 1200), interpolation=cv2.INTER_NEAREST)
    exif = Image.Exif()
    exif[0x0112] = 8
    (tmp_path / "large.jpg").write_bytes(encoded(large, "JPEG", exif=exif))
    with running(tmp_path) as studio:
        answer = studio.client.get(f"{API}/images/{studio.images[0]}/thumbnail", params={"size": 128})
        small = browser_sees(answer)
        upright = cv2.resize(np.rot90(large), small.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(upright.astype(int) - small).mean() < 8


def test_a_browser_that_has_a_picture_is_told_so(album: Running) -> None:
    for path in ("file", "thumbnail", "embedding-tensors"):
        address = f"{API}/images/{album.images[0]}/{path}"
        first = album.client.get(address)
        again = album.client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert first.headers["cache-control"].startswith("private")


def test_a_photo_that_browsers_show_is_sent_as_it_is(album: Running) -> None:
    for name in ("plain.jpg", "two-in-one.jpg", "palette.png", "small.webp"):
        answer = album.client.get(f"{API}/images/{row(album, name).id}/file")
        assert answer.content == FILES[name](), name


def test_the_cache_may_be_deleted_at_any_time(tmp_path: Path) -> None:
    (tmp_path / "deep.png").write_bytes(deep())
    with running(tmp_path) as studio:
        address = f"{API}/images/{studio.images[0]}/file"
        first = studio.client.get(address).content
        for path in (tmp_path / ".anymask" / "cache").rglob("*.*"):
            path.unlink()
        assert studio.client.get(address).content == first


def dicom_file(**changes: object) -> bytes:
    """A slice of 16 bits with a window from the file, as scanners write them."""
    dataset = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SOPClassUID, dataset.SOPInstanceUID = pydicom.uid.CTImageStorage, generate_uid()
    dataset.PatientName = "<script>alert(1)</script>"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 120, 160, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1000
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    dataset.PixelData = hounsfield().astype(np.int16).tobytes()
    for name, value in changes.items():
        setattr(dataset, name, value)
    file = io.BytesIO()
    Dataset.save_as(dataset, file, enforce_file_format=True)
    return file.getvalue()


def hounsfield() -> np.ndarray:
    """Stored values: air on the left, then tissue, then bone."""
    stored = np.zeros((120, 160))
    stored[:, 50:100] = 1040
    stored[:, 100:] = 2000
    return stored


def test_dicom_is_shown_through_the_files_window(tmp_path: Path) -> None:
    (tmp_path / "slice.dcm").write_bytes(dicom_file())
    (tmp_path / "inverse.dcm").write_bytes(dicom_file(PhotometricInterpretation="MONOCHROME1"))
    with running(tmp_path) as studio:
        shown = browser_sees(studio.client.get(f"{API}/images/{row(studio, 'slice.dcm').id}/file"))
        assert [int(shown[60, x, 0]) for x in (10, 75, 150)] == [0, 128, 255]
        inverse = browser_sees(studio.client.get(f"{API}/images/{row(studio, 'inverse.dcm').id}/file"))
        assert [int(inverse[60, x, 0]) for x in (10, 75, 150)] == [255, 127, 0]
        answer = studio.client.get(f"{API}/projects/{studio.project}/images")
        assert "script" not in answer.text  # nothing of the patient leaves the file


def test_of_a_dicom_film_the_first_frame_is_shown(tmp_path: Path) -> None:
    frames = np.stack([hounsfield(), hounsfield()[:, ::-1]]).astype(np.int16)
    (tmp_path / "film.dcm").write_bytes(dicom_file(NumberOfFrames=2, PixelData=frames.tobytes()))
    with running(tmp_path) as studio:
        shown = browser_sees(studio.client.get(f"{API}/images/{studio.images[0]}/file"))
        assert [int(shown[60, x, 0]) for x in (10, 75, 150)] == [0, 128, 255]


def test_everything_mode_with_crops_sees_dicom(tmp_path: Path) -> None:
    """Crops are cut out of the pixels, not out of the embedding."""
    (tmp_path / "slice.dcm").write_bytes(dicom_file())
    with running(tmp_path) as studio:
        settings = {"points_per_side": 4, "crop_n_layers": 1}
        address = f"{API}/images/{studio.images[0]}/everything"
        answer = studio.client.post(address, json={"settings": settings})
        assert answer.status_code == 200, answer.text
        assert answer.json()["records"]


@pytest.mark.parametrize(
    "data",
    [
        dicom_file()[:-5000],
        dicom_file(Rows=0),
        dicom_file(Rows=60_000, Columns=60_000),
        bytes(128) + b"DICM" + b"rubbish" * 20,
    ],
    ids=["cut off", "no rows", "a bomb", "rubbish"],
)
def test_broken_dicom_is_one_line(tmp_path: Path, data: bytes) -> None:
    with running(tmp_path) as studio:
        files = {"files": ("slice.dcm", data)}
        answer = studio.client.post(f"{API}/projects/{studio.project}/images", files=files)
        assert (answer.status_code, answer.json()["added"]) == (200, [])
        assert "DICOM" in answer.json()["refused"][0]["reason"]


def test_an_embedding_is_made_once_and_outlives_the_process(folder: Path) -> None:
    first = FakeRuntime()
    with running(folder, first, ahead=0) as studio:
        address = f"{API}/images/{studio.images[0]}/embedding"
        answers = [studio.client.post(address).json() for _ in range(2)]
        assert all(answer["ready"] for answer in answers)
        assert first.encoded == 1
    second = FakeRuntime()
    with running(folder, second, ahead=0) as studio:
        assert studio.client.post(address).json()["ready"]
        assert second.encoded == 0


def test_a_picture_that_is_in_two_projects_is_embedded_once_on_disk(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "same.png").write_bytes((folder / "photo-0.png").read_bytes())
    runtime = FakeRuntime()
    with running(folder, runtime, ahead=0) as studio:
        for image in (row(studio, "photo-0.png"), row(studio, "same.png")):
            assert studio.client.post(f"{API}/images/{image.id}/embedding").status_code == 200
        assert runtime.encoded == 1


def test_the_next_pictures_of_the_queue_are_prepared(folder: Path) -> None:
    runtime = FakeRuntime()
    with running(folder, runtime, ahead=1) as studio:
        model = studio.services.served.shelf.default
        queue = studio.images
        studio.client.post(f"{API}/images/{queue[0]}/embedding")
        wait_until(lambda: studio.services.pictures.is_ready(queue[1], model))
        assert not studio.services.pictures.is_ready(queue[2], model)
        assert runtime.encoded == 2


def test_the_decoders_inputs_are_the_embedding(studio: Running) -> None:
    image = studio.images[0]
    tensors = load(studio.client.get(f"{API}/images/{image}/embedding-tensors").content)
    model = studio.services.served.shelf.default
    expected = model.embed(studio.services.pictures.picture(studio.services.store.images.get(image)))
    assert set(tensors) == set(expected.features)
    for name, feature in expected.features.items():
        assert np.array_equal(tensors[name], feature)


class StuckRuntime(FakeRuntime):
    """Encodes nothing until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()

    def encode(self, picture: Picture) -> dict[str, np.ndarray]:
        assert self.may.wait(60)
        return super().encode(picture)


def test_a_full_queue_is_told_and_when_to_come_again(tmp_path: Path) -> None:
    fill(tmp_path)
    runtime = StuckRuntime()
    with running(tmp_path, runtime, waiting=1, ahead=0, request_seconds=1) as studio:
        addresses = [f"{API}/images/{image}/embedding" for image in studio.images]
        answers = [studio.client.post(address) for address in addresses]
        runtime.may.set()
        assert [answer.status_code for answer in answers] == [503] * PICTURES
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
        wait_until(lambda: studio.client.post(addresses[0]).status_code == 200)
