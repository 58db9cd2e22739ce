import pytest

from gruenpuls.service.supervise import pause_after


@pytest.mark.parametrize(("failures", "pause"), [(1, 1.0), (2, 2.0), (5, 16.0), (6, 30.0), (100_000, 30.0)])
def test_the_pause_doubles_up_to_a_bound_however_long_it_lasts(failures: int, pause: float) -> None:
    assert pause_after(failures) == pause
