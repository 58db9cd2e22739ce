import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from requirement import require
from stores.observation_contract import DAY, END, START, Judgements, assert_same, batch, row

from gruenpuls.domain.errors import ConfigurationError, StorageError
from gruenpuls.domain.ports import Commit, Progress, Tally
from gruenpuls.stores.embedded import EmbeddedStore, lake

SOME = batch(*(row(series, START + day * DAY, day) for series in range(5) for day in range(3)))


@pytest.fixture(scope="module")
def filled_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = shutil.copytree(template, tmp_path_factory.mktemp("filled") / "store")
    store = EmbeddedStore.open_writer(directory, Judgements(), fold_rows=0)
    store.write(Commit(SOME, progress=Progress(7, Tally(7))))
    store.close()
    return directory


@pytest.fixture
def filled(filled_template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(filled_template, tmp_path / "store")


def data_file(directory: Path) -> Path:
    (found,) = (directory / "data").rglob("*.parquet")
    return found


def test_reading_where_nothing_is_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no observation store here yet.*start the service"):
        EmbeddedStore.open_reader(tmp_path, Judgements())
    assert not list(tmp_path.iterdir())


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(StorageError, match=r"not an observation store: holiday\.jpg"):
        EmbeddedStore.open_writer(tmp_path, Judgements())
    assert not (tmp_path / lake.CATALOGUE).exists()


def test_a_lake_of_somebody_else_is_left_alone(filled: Path) -> None:
    change(filled, "DROP TABLE lake.layout")
    for opened in (EmbeddedStore.open_writer, EmbeddedStore.open_reader):
        with pytest.raises(StorageError, match="not an observation store"):
            opened(filled, Judgements())


def test_a_store_of_a_later_version_is_refused(filled: Path) -> None:
    change(filled, "UPDATE lake.layout SET version = 3")
    for opened in (EmbeddedStore.open_writer, EmbeddedStore.open_reader):
        with pytest.raises(StorageError, match=r"layout 3.*install the version that made it"):
            opened(filled, Judgements())


@pytest.mark.parametrize("leaves", [Path.unlink, Path.touch])
def test_data_without_its_catalogue_is_not_taken_for_a_new_store(filled: Path, leaves: Callable[[Path], None]) -> None:
    for path in filled.glob("catalogue.sqlite*"):
        path.unlink()
    (filled / lake.CATALOGUE).touch()
    leaves(filled / lake.CATALOGUE)
    with pytest.raises(StorageError, match=r"catalogue is gone.*restore the catalogue"):
        EmbeddedStore.open_writer(filled, Judgements())
    assert data_file(filled).exists()


def test_a_store_killed_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    lake.Lake(tmp_path, lake.Limits(), read_only=False).close()
    store = EmbeddedStore.open_writer(tmp_path, Judgements())
    store.write(Commit(SOME))
    assert_same(store.read(range(9), START, END), SOME)
    store.close()


def change(directory: Path, statement: str) -> None:
    changed = lake.Lake(directory, lake.Limits(), read_only=False)
    with changed.cursor() as cursor:
        cursor.execute(statement)
    changed.close()


@pytest.mark.parametrize("damage", [b"not a database at all, but long enough to be looked at", b""])
def test_a_damaged_catalogue_is_named(filled: Path, damage: bytes) -> None:
    for log in filled.glob("catalogue.sqlite-*"):
        log.unlink()
    (filled / lake.CATALOGUE).write_bytes(damage * 100)
    with pytest.raises(StorageError, match=str(filled)):
        EmbeddedStore.open_reader(filled, Judgements())


def test_a_page_gone_wrong_in_the_catalogue_is_named(filled: Path) -> None:
    catalogue = filled / lake.CATALOGUE
    content = bytearray(catalogue.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 64] = os.urandom(64)
    catalogue.write_bytes(content)
    with pytest.raises(StorageError, match=r"catalogue is damaged.*backup"):
        EmbeddedStore.open_reader(filled, Judgements()).read([1], START, END)


@pytest.mark.parametrize("keep", [0, 40])
def test_a_damaged_data_file_is_named(filled: Path, keep: int) -> None:
    path = data_file(filled)
    path.write_bytes(path.read_bytes()[:keep])
    reader = EmbeddedStore.open_reader(filled, Judgements())
    with pytest.raises(StorageError, match=rf"(?s)data file is missing or damaged.*{path.name}.*backup"):
        reader.read([1], START, END)
    assert reader.progress() == Progress(7, Tally(7))
    reader.close()


def test_a_missing_data_file_is_named(filled: Path) -> None:
    path = data_file(filled)
    path.unlink()
    reader = EmbeddedStore.open_reader(filled, Judgements())
    with pytest.raises(StorageError, match=rf"data file is missing or damaged.*{path.name}"):
        reader.latest([1], END)
    reader.close()


def test_a_missing_extension_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=rf"install duckdb-extension-sqlite-scanner=={duckdb.__version__}"):
        EmbeddedStore.open_writer(tmp_path, Judgements())


def test_an_extension_for_another_engine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb, "__version__", "9.9.9")
    with pytest.raises(ConfigurationError, match=r"not made for DuckDB 9\.9\.9"):
        EmbeddedStore.open_writer(tmp_path, Judgements())


def test_a_tampered_extension_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tampered = tmp_path / "ducklake.duckdb_extension"
    shutil.copyfile(lake.extension_path("ducklake"), tampered)
    with tampered.open("r+b") as file:
        file.seek(tampered.stat().st_size // 2)
        file.write(b"tampered")
    genuine = lake.extension_path
    monkeypatch.setattr(lake, "extension_path", lambda name: tampered if name == "ducklake" else genuine(name))
    with pytest.raises(StorageError, match=r"ducklake was refused.*signature.*install its package anew"):
        EmbeddedStore.open_writer(tmp_path / "store", Judgements())


def test_a_failed_opening_lets_go_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(lake, "find_spec", lambda _: None)
        with pytest.raises(ConfigurationError):
            EmbeddedStore.open_writer(tmp_path, Judgements())
    EmbeddedStore.open_writer(tmp_path, Judgements()).close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_of_somebody_elses_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    for directory in (tmp_path, tmp_path / "store"):
        with pytest.raises(StorageError, match="check who owns"):
            EmbeddedStore.open_writer(directory, Judgements())


@pytest.mark.parametrize("fold_rows", [0, 20_000])
def test_when_the_disk_is_full_nothing_of_a_commit_stays_and_it_can_be_tried_again(
    filled: Path, fold_rows: int
) -> None:
    store = EmbeddedStore.open_writer(filled, Judgements(), fold_rows=fold_rows, large_rows=fold_rows)
    more = Commit(batch(*(row(8, START + n * DAY / 1000, n / 7) for n in range(5000))), progress=Progress(9, Tally(9)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StorageError, match=r"(?s)disk.*nothing of this was stored.*try again"):
            store.write(more)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_same(store.read(range(9), START, END), SOME)
    assert store.progress() == Progress(7, Tally(7))
    store.write(more)
    assert len(store.read([8], START, END)) == 5000
    assert store.progress() == Progress(9, Tally(9))
    store.close()


FILL_A_SMALL_DISK = """
import sys
from collections.abc import Callable
from pathlib import Path
import numpy as np
from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.ports import Commit, Progress
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.stores.embedded import EmbeddedStore
from stores.observation_contract import END, START, Judgements, to_stored

disk = Path(sys.argv[1])
store = EmbeddedStore.open_writer(disk / "store", Judgements(), fold_rows=int(sys.argv[2]), large_rows=int(sys.argv[2]))
rng, size, number = np.random.default_rng(1), int(sys.argv[3]), 0

def commit(number):
    at = np.full(size, to_stored(START) + number * np.timedelta64(1, "h"))
    ones = np.ones(size, np.int64)
    batch = ReadingBatch(np.arange(size), at, rng.normal(size=size), ones.astype(np.uint8), ones)
    return Commit(batch, progress=Progress(number + 1))

try:
    while True:
        store.write(commit(number))
        number += 1
except StorageError as error:
    assert "disk is full" in str(error), error
assert number > 0
for _ in range(2):
    assert store.progress().offset == number
    assert len(store.read(range(size), START, END)) == number * size
    store.close()
    store = EmbeddedStore.open_writer(disk / "store", Judgements())
(disk / "ballast").unlink()
store.write(commit(number))
assert len(store.read(range(size), START, END)) == (number + 1) * size
store.close()
"""


@pytest.mark.parametrize(("fold_rows", "size"), [(0, 50_000), (1_000_000, 5_000)])
def test_a_small_disk_that_runs_full_loses_nothing(tmp_path: Path, fold_rows: int, size: int) -> None:
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    mounted = f"mount -t tmpfs -o size=8m none {tmp_path}"
    require(
        shutil.which("unshare") and subprocess.run([*namespace, *mounted.split()], check=False).returncode == 0,
        "this machine lets nobody mount a file system of its own",
    )
    script = f'{mounted} && head -c 7000000 /dev/zero > {tmp_path}/ballast && exec "$@"'
    python = [sys.executable, "-c", FILL_A_SMALL_DISK, str(tmp_path), str(fold_rows), str(size)]
    tests, root = Path(__file__).parents[2], Path(__file__).parents[3]
    done = subprocess.run(
        [*namespace, "sh", "-c", script, "sh", *python],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{tests}:{root}"},
    )
    assert done.returncode == 0, done.stderr
