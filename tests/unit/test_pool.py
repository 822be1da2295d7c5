# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Calls in parallel, at a pace; each piece of work comes back as one outcome."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from clients.pool import CallPool, TokenBucket

Pool = CallPool[int, tuple[int, str]]


def fault(work: int, error: Exception) -> tuple[int, str]:
    return work, f"fault {error}"


@contextmanager
def pool_of(call: Callable[[int], tuple[int, str]], threads: int = 4) -> Iterator[Pool]:
    pool = CallPool(call, fault, threads)
    yield pool
    assert pool.close(5)


def collect(pool: Pool, count: int) -> list[tuple[int, str]]:
    """Return this many outcomes, fewer where they do not come in time."""
    found: list[tuple[int, str]] = []
    until = time.monotonic() + 5
    while len(found) < count and time.monotonic() < until:
        found += pool.outcomes(0.1)
    return found


def test_each_piece_of_work_comes_back_once() -> None:
    with pool_of(lambda work: (work, "done")) as pool:
        for work in range(50):
            pool.put(work)
        assert sorted(collect(pool, 50)) == [(work, "done") for work in range(50)]
        assert pool.outcomes(0) == []


def test_as_many_calls_at_a_time_as_threads_and_no_more() -> None:
    everybody = threading.Barrier(3)
    lock = threading.Lock()
    under_way, most = 0, 0

    def call(work: int) -> tuple[int, str]:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        everybody.wait(5)
        with lock:
            under_way -= 1
        return work, "done"

    with pool_of(call, threads=3) as pool:
        for work in range(6):
            pool.put(work)
        assert len(collect(pool, 6)) == 6
    assert most == 3


def test_a_bug_in_a_call_is_the_outcome_of_that_work_alone() -> None:
    def call(work: int) -> tuple[int, str]:
        if work == 1:
            raise KeyError("field")
        return work, "done"

    with pool_of(call, threads=1) as pool:
        for work in range(3):
            pool.put(work)
        assert collect(pool, 3) == [(0, "done"), (1, "fault 'field'"), (2, "done")]


def test_threads_are_started_with_the_work_for_them() -> None:
    before = threading.active_count()
    with pool_of(lambda work: (work, "done"), threads=64) as pool:
        assert threading.active_count() == before
        pool.put(1)
        assert threading.active_count() <= before + 1
        assert len(collect(pool, 1)) == 1


def test_all_threads_are_there_before_the_first_of_them_is_busy() -> None:
    """A start waits for its thread, which would wait for those that are calling."""
    pool: Pool
    there = []

    def call(work: int) -> tuple[int, str]:
        there.append(len(pool._pool))
        return work, "done"

    with pool_of(call, threads=8) as pool:
        for first, last in ((0, 5), (5, 20)):
            pool.put(*range(first, last))
            assert len(collect(pool, last - first)) == last - first
    assert there == [5] * 5 + [8] * 15


def test_what_comes_back_shortly_after_is_in_the_same_slice() -> None:
    with pool_of(lambda work: (work, "done"), threads=8) as pool:
        for work in range(8):
            pool.put(work)
        assert len(pool.outcomes(5, linger=0.3)) == 8


def test_a_slice_that_is_large_enough_goes_on_at_once() -> None:
    with pool_of(lambda work: (work, "done"), threads=8) as pool:
        pool.put(*range(8))
        time.sleep(0.2)
        began = time.monotonic()
        assert len(pool.outcomes(5, linger=5, enough=8)) == 8
        assert time.monotonic() - began < 2


def test_a_call_that_hangs_does_not_hold_the_run_beyond_its_time() -> None:
    released = threading.Event()

    def call(work: int) -> tuple[int, str]:
        if work == 1:
            released.wait(30)
        return work, "done"

    pool = CallPool(call, fault, 2)
    for work in (0, 1):
        pool.put(work)
    began = time.monotonic()
    assert not pool.close(0.2)
    assert time.monotonic() - began < 5
    assert pool.outcomes(0) == [(0, "done")]
    released.set()
    assert pool.close(5)


def test_work_that_was_put_before_closing_is_still_done() -> None:
    with pool_of(lambda work: (work, "done"), threads=1) as pool:
        for work in range(5):
            pool.put(work)
        assert pool.close()
        assert len(pool.outcomes(0)) == 5


def test_bucket_lets_its_rate_through_and_a_tenth_at_once() -> None:
    bucket = TokenBucket(80, now=0)
    assert bucket.take(50, 0) == 8
    assert bucket.take(50, 0) == 0
    assert bucket.take(50, 0.05) == 4
    # What nobody took in a quiet minute is no reason for more than that at once.
    assert bucket.take(50, 60) == 8


def test_bucket_says_how_long_to_wait_for_the_next() -> None:
    bucket = TokenBucket(10, now=0)
    assert bucket.take(1, 0) == 1
    assert bucket.wait() == pytest.approx(0.1)
    assert bucket.take(1, 0.05) == 0
    assert bucket.wait() == pytest.approx(0.05)


def test_bucket_halves_its_rate_and_never_stops() -> None:
    bucket = TokenBucket(3, now=0)
    bucket.slow_down()
    assert bucket.rate == 1.5
    assert bucket.take(1, 0.1) == 0
    bucket.slow_down()
    bucket.slow_down()
    assert bucket.rate == 1
    assert bucket.take(5, 2) == 1
