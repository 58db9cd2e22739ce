import pickle

import pytest

from gruenpuls.domain.errors import BusyError, GruenpulsError, InputError, StorageError
from gruenpuls.service.supervise import ChildEndedError


@pytest.mark.parametrize(
    "error",
    [InputError("wrong", where="here", remedy="mend it"), StorageError("full"), ChildEndedError("work", 5)],
)
def test_an_error_crosses_a_process_border_whole(error: GruenpulsError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert (back.what, back.where, back.remedy) == (error.what, error.where, error.remedy)


def test_an_error_reads_as_place_fault_and_remedy() -> None:
    assert str(BusyError("taken", where="port 8080", remedy="stop it")) == "port 8080: taken (stop it)"
