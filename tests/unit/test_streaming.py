"""Streams of work keep their order and stay short."""

import threading

import pytest

from brainlapse.streaming import in_flight


def test_results_come_in_order_whoever_is_done_first():
    first_may_end = threading.Event()

    def work(item):
        if item == 0:
            first_may_end.wait(5)
        else:
            first_may_end.set()
        return item * item

    assert list(in_flight(work, range(6), workers=2, ahead=3)) == [n * n for n in range(6)]


def test_items_are_taken_only_as_needed():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    stream = in_flight(str, items(), workers=2, ahead=3)
    assert next(stream) == "0"
    assert len(taken) == 4
    stream.close()
    assert len(taken) == 4


def test_the_first_failure_is_raised_in_its_place():
    def work(item):
        if item == 2:
            message = "scan 2 is broken"
            raise ValueError(message)
        return item

    stream = in_flight(work, range(9), workers=3, ahead=4)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(ValueError, match="scan 2"):
        next(stream)
