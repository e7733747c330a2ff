"""Tenths of a build out of looks at it, worked out by hand."""

from benchmarks.build_samples import Sample, Tenth, ratio, tenths


def looks(*done: int, memory: int = 5) -> list[Sample]:
    """A look a second."""
    return [Sample(float(second), patches, memory, 0) for second, patches in enumerate(done)]


def test_a_steady_build_is_the_same_in_every_tenth() -> None:
    # 3 s without a shard, then 10 patches a second up to 210; the first shard's 10 begin the first tenth.
    found = tenths(looks(0, 0, 0, *range(10, 211, 10), 210, 210), 210)
    assert found == [Tenth(20, 10.0, 5)] * 10


def test_a_build_that_slows_down_and_grows() -> None:
    done = [10, 30, 50, 70, 90, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 210]
    samples = [Sample(float(second), patches, 100 + patches, 0) for second, patches in enumerate(done)]
    found = tenths(samples, 210)
    assert [part.rate for part in found] == [20.0] * 5 + [10.0] * 5
    assert [part.patches for part in found] == [20] * 10
    assert (found[0].peak, found[-1].peak) == (130, 310)
    assert ratio(found[-1].rate, found[0].rate) == 0.5
    assert ratio(found[-1].peak, found[0].peak) == round(310 / 130, 3)


def test_tenths_without_two_looks_have_no_rate() -> None:
    found = tenths(looks(0, 50, 100), 100)
    assert [part.rate for part in found] == [50.0] + [None] * 9
    assert sum(part.patches for part in found) == 50
    assert ratio(found[-1].rate, found[0].rate) is None


def test_a_build_that_was_never_seen_at_work() -> None:
    assert tenths([], 100) == tenths(looks(0, 0), 100) == [Tenth(0, None, 0)] * 10
