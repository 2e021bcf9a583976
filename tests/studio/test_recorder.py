"""Prompts are written in order, in batches, and never in anybody's way."""

from __future__ import annotations

import logging
import threading

import pytest

from anymask.studio.prompting.recorder import Recorder


def test_everything_is_written_in_order() -> None:
    written: list[int] = []
    recorder: Recorder[int] = Recorder(written.extend)
    for number in range(500):
        recorder.put(number)
    recorder.flush()
    assert written == list(range(500))
    recorder.put(500)
    recorder.close()
    assert written == list(range(501))
    recorder.put(501)  # after the end nothing is taken
    assert written == list(range(501))


def test_what_gathers_while_the_disk_is_busy_is_one_batch() -> None:
    batches: list[list[int]] = []
    goes, begun = threading.Event(), threading.Event()

    def write(batch: list[int]) -> None:
        begun.set()
        assert goes.wait(60)
        batches.append(batch)

    recorder: Recorder[int] = Recorder(write)
    recorder.put(0)
    assert begun.wait(60)
    for number in range(1, 10):
        recorder.put(number)
    goes.set()
    recorder.close()
    assert batches == [[0], list(range(1, 10))]


def test_a_full_queue_drops_the_oldest_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    written: list[int] = []
    goes, begun = threading.Event(), threading.Event()

    def write(batch: list[int]) -> None:
        begun.set()
        assert goes.wait(60)
        written.extend(batch)

    recorder: Recorder[int] = Recorder(write, most=3)
    recorder.put(0)
    assert begun.wait(60)
    with caplog.at_level(logging.WARNING, logger="anymask.studio"):
        for number in range(1, 6):
            recorder.put(number)
    goes.set()
    recorder.close()
    assert written == [0, 3, 4, 5]
    assert len(caplog.records) == 2


def test_a_failure_is_logged_and_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    written: list[int] = []
    goes, begun = threading.Event(), threading.Event()

    def write(batch: list[int]) -> None:
        begun.set()
        assert goes.wait(60)
        if 2 in batch:
            raise OSError("disk full")
        written.extend(batch)

    recorder: Recorder[int] = Recorder(write)
    recorder.put(0)
    assert begun.wait(60)
    for number in range(1, 5):
        recorder.put(number)
    with caplog.at_level(logging.ERROR, logger="anymask.studio"):
        goes.set()
        recorder.close()
    assert written == [0, 1, 3, 4]
    assert caplog.text.count("could not be recorded") == 1
