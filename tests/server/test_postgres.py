"""The embedded PostgreSQL: real processes, real signals, real disks."""

import contextlib
import datetime
import os
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.server.conftest import copied, made_spot
from tests.server.homes import (
    ROOT,
    SECONDS,
    USERS,
    Holder,
    all_processes,
    ask,
    data_of,
    everything_in,
    is_stopped,
    keepers,
    kill_everything,
    kill_keeper,
    opened,
    owners_of,
    place_of,
    plain_user,
    postmaster_of,
    server_processes,
    state_on_disk,
    wait_for,
    words_of,
)
from tidegate.config import Settings
from tidegate.server.postgres import Database, DatabaseUnavailable, django_settings, open_database
from tidegate.server.postgres.keeper.cluster import password_missing
from tidegate.server.postgres.keeper.failure import cannot_become, from_output, from_system
from tidegate.server.postgres.keeper.keeper import LONGEST_LOG, Keeper
from tidegate.server.postgres.keeper.place import SOCKET_NAME, SYSTEM_FOLDER, can_search, choose_place, is_there
from tidegate.server.postgres.keeper.postmaster import remove_stale_pid_files, works_in

MakeHome = Callable[..., Path]


# A home from nothing


@pytest.mark.parametrize("user", USERS)
def test_a_new_home_gets_a_database_that_keeps_what_is_written(spot: Path, user: str):
    if user == "plain":
        os.chown(spot, plain_user().pw_uid, plain_user().pw_gid)

    with Holder(spot / "new" / "home", user) as holder:
        url = holder.url()
        servers = server_processes(data_of(spot / "new" / "home"))
        owners = owners_of(servers)
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        holder.leave()

    with Holder(spot / "new" / "home", user) as holder:
        assert ask(holder.url(), "SELECT answer FROM kept") == [(42,)]
        holder.leave()
    assert owners == {plain_user().pw_uid}


def test_several_processes_that_start_at_once_share_one_server(spot: Path):
    with contextlib.ExitStack() as stack:
        holders = [stack.enter_context(Holder(spot / "home")) for _ in range(5)]

        servers = {ask(holder.url(), "SELECT pg_postmaster_start_time()")[0] for holder in holders}

        assert len(servers) == 1
        assert len(keepers(spot / "home")) == 1
        for holder in holders:
            holder.leave()
    assert is_stopped(spot / "home")


def test_a_database_whose_making_was_killed_is_made_anew(spot: Path):
    with Holder(spot / "home") as holder:
        part = spot / "home" / "postgres" / "data.part"
        wait_for((part / "base").exists, "initdb is at work")
        holder.kill()
        for process in [*keepers(spot / "home"), *processes_naming(part)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    wait_for(lambda: not any(processes_naming(part)), "initdb is dead")

    with opened(spot / "home") as database:
        assert ask(database, "SELECT 1") == [(1,)]
    assert not part.exists()


def test_a_start_that_is_told_to_end_leaves_nothing_behind_and_the_next_goes_well(spot: Path):
    with Holder(spot / "home") as holder:
        holder.next("progress")

        holder.kill(signal.SIGTERM)

    wait_for(lambda: is_stopped(spot / "home"), "everything has ended")
    with opened(spot / "home") as database:
        assert ask(database, "SELECT 1") == [(1,)]


def test_a_server_that_nobody_wants_is_ended_even_before_it_has_written_its_pid_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its last holder was killed just then. A keeper that waited for it would shut every newcomer out, for ever."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process keeps its own ways to end
    keeper = Keeper(place_of(home))
    keeper.server = subprocess.Popen(["/bin/sleep", "60"])

    keeper._stop()

    assert keeper.server.returncode == -signal.SIGINT


# Who may come in


@pytest.fixture(scope="module")
def running_home(template: Path) -> Iterator[Path]:
    for folder in made_spot():
        yield copied(template, folder / "home")


@pytest.fixture(scope="module")
def running(running_home: Path) -> Iterator[Database]:
    with opened(running_home) as database:
        yield database


def test_what_is_committed_is_on_the_disk(running: Database):
    names = ("fsync", "full_page_writes", "synchronous_commit", "max_parallel_workers_per_gather", "jit")

    found = [ask(running, f"SHOW {name}")[0][0] for name in names]

    assert found == ["on", "on", "on", "0", "off"]


def test_the_only_door_is_the_socket_and_its_only_key_the_password(running: Database, running_home: Path):
    rules = (place_of(running_home).data / "pg_hba.conf").read_text()

    assert rules.split() == ["local", "all", "all", "scram-sha-256"]
    assert ask(running, "SHOW listen_addresses") == [("",)]
    assert tcp_sockets(postmaster_of(running_home)) == []


@pytest.mark.parametrize("entry", [{"password": "guessed"}, {"password": ""}, {"user": "postgres"}])
def test_nobody_comes_in_without_the_right_password(running: Database, entry: dict[str, str]):
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(make_conninfo(running.url, **entry))


def test_what_guards_the_server_is_open_to_its_users_alone(running: Database, running_home: Path):
    place = place_of(running_home)

    modes = [stat.S_IMODE(path.stat().st_mode) for path in (place.socket_folder, place.data, place.password, place.log)]

    assert modes == [0o700, 0o700, 0o600, 0o600]
    assert place.socket_folder.stat().st_uid == place.data.stat().st_uid == plain_user().pw_uid


def test_the_password_is_in_no_command_line_and_no_environment(running: Database, running_home: Path):
    password = str(conninfo_to_dict(running.url)["password"]).encode()
    ours = [*keepers(running_home), *server_processes(data_of(running_home))]

    found = [words_of(process, file) for process in ours for file in ("cmdline", "environ")]

    assert len(ours) > 5
    assert not any(password in words for words in found)
    assert password.decode() not in repr(running)


def test_the_secrets_of_a_holders_environment_are_not_passed_on(home: Path):
    secret = {"TIDEGATE_SECRET_KEY": "s3cr3t-key", "PGPASSWORD": "s3cr3t-password"}
    with Holder(home, environment=secret) as holder:
        holder.url()

        found = [words_of(process, "environ") for process in [*keepers(home), *server_processes(data_of(home))]]

        holder.leave()
    assert b"PATH=" in found[0]
    assert b"LC_ALL=C" in found[1]
    assert not any(b"s3cr3t" in words for words in found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PGPORT", "5433"), ("PGHOSTADDR", "127.0.0.1"), ("PGSERVICE", "absent"), ("PGOPTIONS", "-c search_path=no")),
        *(("PGCHANNELBINDING", "require"), ("PGREQUIREPEER", "somebody"), ("PGTARGETSESSIONATTRS", "standby")),
        *(("PGGSSENCMODE", "require"), ("PGDATESTYLE", "German")),
    ],
)
def test_what_the_environment_says_of_other_servers_is_not_asked(
    running_home: Path, running: Database, monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    monkeypatch.setenv(name, value)

    with opened(running_home) as database:
        answer = ask(database, "SELECT current_setting('search_path'), date '2026-05-03'")

    assert answer == [('"$user", public', datetime.date(2026, 5, 3))]
    assert os.environ[name] == value


def test_the_role_of_tidegate_is_no_superuser(running: Database):
    assert ask(running, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]


def test_a_value_in_a_failing_statement_does_not_reach_the_log(running: Database, running_home: Path):
    with psycopg.connect(running.url, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE once (word text UNIQUE); INSERT INTO once VALUES ('s3cr3t')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO once VALUES ('s3cr3t')")

    log = place_of(running_home).log
    wait_for(lambda: "once_word_key" in log.read_text(), "the error is logged")
    assert "s3cr3t" not in log.read_text()


def test_django_finds_the_database_by_its_settings(running: Database):
    entry = django_settings(running)
    names = {"host": "HOST", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}
    options: Any = entry["OPTIONS"]

    with psycopg.connect(make_conninfo(**{name: str(entry[names[name]]) for name in names}, **options)) as connection:
        assert connection.info.dbname == "tidegate"
    assert entry["ENGINE"] == "django.db.backends.postgresql"


def test_entering_a_running_server_takes_less_than_50_milliseconds(running: Database, running_home: Path):
    seconds = []

    for _ in range(60):
        began = time.perf_counter()
        with opened(running_home):
            seconds.append(time.perf_counter() - began)

    assert min(seconds) < 0.05


# Leaving


@pytest.mark.parametrize("user", USERS)
def test_the_last_to_leave_shuts_the_server_down(spot: Path, make_home: MakeHome, user: str):
    home = make_home(spot / "home", user)
    with Holder(home, user) as first, Holder(home, user) as last:
        url, _ = first.url(), last.url()

        first.leave()
        assert ask(url, "SELECT 1") == [(1,)]
        last.leave()

    assert is_stopped(home)
    assert state_on_disk(home) == "shut down"


@pytest.mark.parametrize("user", USERS)
def test_a_server_whose_only_holder_was_killed_shuts_down(spot: Path, make_home: MakeHome, user: str):
    home = make_home(spot / "home", user)
    with Holder(home, user) as holder:
        holder.url()

        holder.kill()

    wait_for(lambda: is_stopped(home), "the server of a killed holder has ended")
    assert state_on_disk(home) == "shut down"


def test_a_server_outlives_a_killed_holder_while_another_holds_it(home: Path):
    with opened(home) as database:
        with Holder(home) as holder:
            holder.url()
            before = postmaster_of(home)
            holder.kill()

        stays_so(lambda: ask(database, "SELECT 1") == [(1,)], seconds=1)
        assert postmaster_of(home) == before


def test_a_program_that_a_holder_started_holds_nothing(home: Path):
    with Holder(home, USERS[-1], "with-child") as holder:
        child = int(holder.next("child"))
        holder.url()

        holder.kill()
        wait_for(lambda: is_stopped(home), "the server has ended")

        assert b"sleep" in words_of(child)
        os.kill(child, signal.SIGKILL)


def test_ctrl_c_in_the_terminal_of_its_starter_does_not_reach_the_server(home: Path):
    with Holder(home) as starter:
        starter.url()
        with opened(home) as database:
            before = postmaster_of(home)

            os.killpg(starter.process.pid, signal.SIGINT)
            starter.process.wait()

            assert ask(database, "SELECT 1") == [(1,)]
            assert postmaster_of(home) == before


def test_a_running_server_keeps_no_pipe_of_its_starter_open(home: Path):
    with Holder(home) as starter:
        starter.url()
        with opened(home):
            starter.process.kill()

            said, _ = starter.process.communicate(timeout=SECONDS)

            assert said == ""
            assert postmaster_of(home)


def test_a_fork_that_leaves_does_not_let_go_for_its_parent(home: Path):
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(opened(home))
        if (child := os.fork()) == 0:
            stack.close()
            os._exit(0)
        os.waitpid(child, 0)

        stays_so(lambda: ask(database, "SELECT 1") == [(1,)], seconds=1)


# Being killed


def test_a_killed_server_is_started_again_for_those_who_hold_it(home: Path):
    with opened(home) as database:
        ask(database, "CREATE TABLE kept AS SELECT 42 AS answer")
        busy = psycopg.connect(database.url, autocommit=True)
        # Looks at nothing but its own work, so it outlives its postmaster and keeps the next one from starting.
        query = threading.Thread(target=until_cut_off, args=(busy, "SELECT count(*) FROM generate_series(1, 1e10)"))
        query.start()
        active = f"SELECT 1 FROM pg_stat_activity WHERE pid = {busy.info.backend_pid} AND state = 'active'"
        wait_for(lambda: ask(database, active), "the query runs")
        before = postmaster_of(home)

        os.kill(before, signal.SIGKILL)

        assert wait_for(lambda: answer_of(database, "SELECT answer FROM kept"), "it answers again") == [(42,)]
        assert postmaster_of(home) != before
        query.join()
        busy.close()


def test_what_was_committed_outlives_the_death_of_everything(home: Path):
    with Holder(home) as holder:
        ask(holder.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
        kill_everything(home)
        holder.kill()
    assert state_on_disk(home) == "in production"

    with opened(home) as database:
        assert ask(database, "SELECT answer FROM kept") == [(42,)]


def test_recovery_may_take_as_long_as_it_takes(home: Path):
    with Holder(home) as holder:
        url = holder.url()
        ask(url, "CREATE TABLE big (number int, word text)")
        ask(url, "INSERT INTO big SELECT i, md5(i::text) FROM generate_series(1, 300000) i")
        kill_everything(home)
        holder.kill()

    with Holder(home) as holder:
        recovery = wait_for(lambda: processes_titled(home, b"startup rec"), "the journal is replayed")[0]
        os.kill(recovery, signal.SIGSTOP)

        said = holder.next("progress")
        os.kill(recovery, signal.SIGCONT)

        assert "PostgreSQL is starting" in said
        assert ask(holder.url(), "SELECT count(*) FROM big") == [(300000,)]


def test_a_server_whose_keeper_was_killed_gets_a_new_one_from_the_next_to_enter(home: Path):
    with Holder(home) as holder:
        holder.url()
        server = postmaster_of(home)
        kill_keeper(home)
        holder.kill()

        with opened(home):
            assert postmaster_of(home) == server
            assert len(keepers(home)) == 1

    assert is_stopped(home)


def test_the_last_to_leave_shuts_down_a_server_without_a_keeper(home: Path):
    with opened(home):
        kill_keeper(home)

    assert is_stopped(home)
    assert state_on_disk(home) == "shut down"


def test_a_home_that_is_deleted_under_its_users_leaves_no_process_behind(home: Path):
    with opened(home):
        ours = [*keepers(home), *server_processes(data_of(home))]
        shutil.rmtree(home)

    wait_for(lambda: not set(ours) & set(all_processes()), "keeper and server have ended")


# The pid file


def test_a_pid_file_whose_number_now_belongs_to_another_process_is_no_obstacle(home: Path):
    with Holder(home) as holder:
        holder.url()
        kill_everything(home)
        holder.kill()
    with other_process_of_the_servers_user() as other:
        rewrite_pid_files(home, other.pid)

        with opened(home) as database:
            assert ask(database, "SELECT 1") == [(1,)]

        assert other.poll() is None


def test_the_pid_file_of_a_living_server_is_never_removed(home: Path):
    with opened(home), other_process_of_the_servers_user() as other:
        pid_file = data_of(home) / "postmaster.pid"
        true_text = pid_file.read_text()
        for number in (str(postmaster_of(home)), str(other.pid)):
            pid_file.write_text("\n".join([number, *true_text.splitlines()[1:]]))

            remove_stale_pid_files(data_of(home), place_of(home).socket_folder / SOCKET_NAME)

            assert pid_file.exists()
        pid_file.write_text(true_text)


def test_a_process_that_merely_works_elsewhere_is_no_server(home: Path):
    with opened(home):
        assert works_in(postmaster_of(home), data_of(home))
        assert not works_in(os.getpid(), data_of(home))


# Where a home may be


def test_data_of_another_major_version_is_refused_and_left_as_it_is(home: Path):
    (data_of(home) / "PG_VERSION").write_text("17\n")
    before = everything_in(data_of(home))

    with pytest.raises(DatabaseUnavailable, match=r"by PostgreSQL 17, and .* brings PostgreSQL 18.*tidegate upgrade"):
        hold(home)

    assert everything_in(data_of(home)) == before


@pytest.mark.parametrize(
    "name", ["with a space", "x" * 200, "ä" * 70, "a,b", "it's", 'quo"te', "back\\slash", "$HOME %s"], ids=ascii
)
def test_a_home_may_have_any_name(spot: Path, make_home: MakeHome, name: str):
    home = make_home(spot / name)

    with opened(home) as database:
        folder = place_of(home).socket_folder
        length = len(os.fsencode(folder / SOCKET_NAME))
        mode = stat.S_IMODE(folder.stat().st_mode)
        answer = ask(database, "SELECT 1")

    assert (answer, mode) == ([(1,)], 0o700)
    assert length <= 107
    assert not list(folder.glob(".s.*"))


def test_the_home_of_a_plain_user_may_have_a_long_name_with_spaces(spot: Path, make_home: MakeHome):
    home = make_home(spot / ("with a space " * 16), "plain")

    with Holder(home, "plain") as holder:
        assert ask(holder.url(), "SELECT 1") == [(1,)]
        holder.leave()


@pytest.mark.parametrize("trap", ["link", "open to all"])
def test_a_socket_folder_that_somebody_else_laid_out_is_refused(spot: Path, make_home: MakeHome, trap: str):
    home = make_home(spot / ("x" * 200))
    folder, target = place_of(home).socket_folder, spot / "target"
    target.mkdir(mode=0o755)
    if trap == "link":
        folder.symlink_to(target)
    else:
        folder.mkdir()
        folder.chmod(0o777)

    try:
        with pytest.raises(DatabaseUnavailable, match=f"{folder} is not a folder that only user"):
            hold(home)

        assert list(target.iterdir()) == []
        assert stat.S_IMODE(target.stat().st_mode) == 0o755
    finally:
        folder.unlink() if trap == "link" else folder.rmdir()


def test_a_home_of_mode_0700_made_by_root_is_opened_and_nothing_above_it(spot: Path):
    home = spot / "home"
    home.mkdir(mode=0o700)
    above = [parent.stat().st_mode for parent in home.parents]

    place = choose_place(home, us=0)
    hold(home)

    assert place.cluster == home / "postgres"
    assert stat.S_IMODE(home.stat().st_mode) == (0o711 if ROOT else 0o700)
    assert [parent.stat().st_mode for parent in home.parents] == above


def test_below_a_folder_that_the_servers_user_cannot_search_the_cluster_lies_elsewhere(spot: Path):
    closed = spot / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    home.mkdir(mode=0o700)

    if ROOT:
        place = place_of(home)
        try:
            with opened(home) as database:
                assert ask(database, "SELECT 1") == [(1,)]
            modes = [stat.S_IMODE(folder.stat().st_mode) for folder in (closed, home)]
            home.rename(closed / "aside")
            with pytest.raises(
                DatabaseUnavailable, match=f"earlier folder of that name .*{place.cluster}.*or, to begin"
            ):
                hold(home)
            shutil.rmtree(home)
            (closed / "aside").rename(home)
            shutil.rmtree(place.cluster)
            with pytest.raises(DatabaseUnavailable, match=f"lay in {place.cluster} and is gone.*backup"):
                hold(home)
        finally:
            shutil.rmtree(place.cluster, ignore_errors=True)
        assert modes == [0o700, 0o700]
        assert place.cluster.parent == SYSTEM_FOLDER
    assert not can_search(closed.stat(), user=closed.stat().st_uid + 1, group=closed.stat().st_gid + 1)


def test_a_new_home_beside_the_database_of_an_earlier_one_says_how_to_go_on(home: Path):
    """The home was deleted, and its database, which lay elsewhere, was not."""
    beside, elsewhere = place_of(home), replace(place_of(home), cluster=home.parent / "elsewhere")

    said = str(password_missing(elsewhere))

    assert f"{home} is new" in said
    assert f"delete {home.parent / 'elsewhere'}" in said
    assert f"{home / 'postgres' / 'password'}, is missing" in str(password_missing(beside))


def test_what_may_not_be_looked_at_is_not_taken_for_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert is_there(tmp_path)
    assert not is_there(tmp_path / "absent")

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(PermissionError):
        is_there(tmp_path)


def test_a_cluster_that_exists_is_never_left_for_a_new_one(spot: Path, make_home: MakeHome):
    home = make_home(spot / "later closed" / "home")
    (spot / "later closed").chmod(0o700)

    place = choose_place(home, us=0)

    assert place.cluster == home / "postgres"
    if ROOT:
        with pytest.raises(DatabaseUnavailable, match="may not use"):
            hold(home)


@pytest.mark.parametrize("user", USERS)
def test_root_runs_the_server_as_the_owner_of_the_home_or_as_nobody(spot: Path, user: str):
    home = spot / "home"
    home.mkdir()
    if user == "plain":
        os.chown(home, plain_user().pw_uid, plain_user().pw_gid)

    assert choose_place(home, us=0).user == plain_user().pw_uid


def test_root_that_may_not_become_another_user_is_told_so(home: Path):
    said = str(cannot_become(65534))
    if ROOT:
        with Holder(home, "root", through=("setpriv", "--bounding-set=-setuid,-setgid")) as holder:
            said = holder.next("failed")

    assert "may not become user 65534" in said
    assert "Run Tidegate as a plain user" in said


def test_data_that_only_another_user_can_read_is_refused(spot: Path, make_home: MakeHome):
    home = make_home(spot / "home", "plain")
    data = data_of(home)
    data.chmod(0)

    with Holder(home, "plain") as holder:
        said = holder.next("failed")

    data.chmod(0o700)
    assert "may not use" in said


def test_a_home_that_belongs_to_somebody_else_is_refused_and_left_as_it_is(spot: Path, make_home: MakeHome):
    home = make_home(spot / "home", "root")
    if not ROOT:
        (home / "postgres" / "holders.lock").chmod(0o400)
    before = everything_in(home)

    with Holder(home, "plain") as holder:
        said = holder.next("failed")

    assert "may not use" in said
    assert "set TIDEGATE_HOME to another one" in said
    assert everything_in(home) == before


def test_a_home_that_cannot_be_made_is_refused(spot: Path):
    spot.chmod(0o555)

    with Holder(spot / "home", "plain") as holder:
        said = holder.next("failed")

    assert f"may not use {spot / 'home'}: permission denied" in said


@pytest.mark.parametrize("name", ["log", "holders.lock", "keeper.lock"])
def test_root_in_the_home_of_a_plain_user_follows_none_of_its_links(spot: Path, make_home: MakeHome, name: str):
    home = make_home(spot / "home", "plain")
    precious = spot / "precious"
    precious.write_text("untouched")
    (home / "postgres" / name).unlink()
    (home / "postgres" / name).symlink_to(precious)

    with pytest.raises(DatabaseUnavailable, match="it is a link"):
        hold(home)

    assert precious.read_text() == "untouched"
    assert precious.stat().st_uid == os.geteuid()


def test_what_root_leaves_in_the_home_of_a_plain_user_is_that_users(spot: Path, make_home: MakeHome):
    home = make_home(spot / "home", "plain")
    (home / "postgres" / "holders.lock").unlink()

    hold(home)

    assert {path.lstat().st_uid for path in home.rglob("*")} == {plain_user().pw_uid}
    with Holder(home, "plain") as holder:
        assert ask(holder.url(), "SELECT 1") == [(1,)]
        holder.leave()


# A full disk


def test_a_disk_without_room_for_a_database_is_said_so_and_left_clean(spot: Path):
    with small_disk(spot / "disk", megabytes=20) as (disk, mounted):
        with pytest.raises(DatabaseUnavailable, match=r"disk that holds .* is full.*Free some space"):
            hold_or_explain(disk / "home", mounted)

        if mounted:
            assert not (disk / "home" / "postgres" / "data.part").exists()
            grow(disk, megabytes=150)
            hold(disk / "home")


def test_a_disk_that_fills_up_costs_nothing_that_was_committed(spot: Path, make_home: MakeHome):
    with small_disk(spot / "disk", megabytes=90) as (disk, mounted):
        home = make_home(disk / "home")
        with opened(home) as database:
            ask(database, "CREATE TABLE kept AS SELECT 42 AS answer")
        filler = disk / "filler"
        fill(filler, until_full=mounted)

        with pytest.raises(DatabaseUnavailable, match=r"disk that holds .* is full.*Free some space"):
            hold_or_explain(home, mounted)
        # The log lies on that disk too, so the reason may not have found room in it.
        assert not mounted or "is full" in str(from_output("", home, home / "log"))

        filler.unlink()
        with opened(home) as database:
            assert ask(database, "SELECT answer FROM kept") == [(42,)]


def test_the_words_of_a_full_disk_are_understood(tmp_path: Path):
    said = 'initdb: error: could not write to file "x": No space left on device'

    failures = [from_output(said, tmp_path, tmp_path / "log"), from_system(OSError(28, "No space"), tmp_path)]

    assert all("is full" in str(failure) for failure in failures)


def test_the_log_is_bounded(home: Path):
    log = place_of(home).log
    log.write_text("x" * (LONGEST_LOG + 1))

    hold(home)

    assert log.stat().st_size < 100_000
    assert log.with_name("log.1").stat().st_size == LONGEST_LOG + 1


# A database that is given


def test_a_given_database_is_used_and_none_is_started(running: Database, spot: Path):
    settings = Settings(home=spot / "home", database_url=running.url)  # pyright: ignore[reportArgumentType]

    with open_database(settings) as database:
        answer = ask(database, "SELECT 1")

    assert answer == [(1,)]
    assert not database.embedded
    assert not (spot / "home").exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"password": "h3mlig"}, "refuses us: .*password authentication failed.*Check user and password"),
        (
            {"host": "127.0.0.1", "port": "1", "password": "h3mlig"},
            r"\(127.0.0.1:1/tidegate\).*refused.*can be reached",
        ),
        ({"dbname": "absent"}, '"absent" does not exist.*Check TIDEGATE_DATABASE_URL'),
    ],
)
def test_a_given_database_that_refuses_us_is_explained(running: Database, spot: Path, change: dict, expected: str):
    url = make_conninfo(running.url, **change)
    password = str(conninfo_to_dict(url)["password"])

    with pytest.raises(DatabaseUnavailable, match=expected) as failure:
        hold(spot, url)

    assert password not in str(failure.value)


@pytest.mark.parametrize("url", ["h3mlig", "postgresql//me:h3mlig@host/name", "postgresql://me:h3mlig@host/name?x=1"])
def test_a_given_url_that_is_none_is_refused_without_repeating_it(spot: Path, url: str):
    with pytest.raises(DatabaseUnavailable, match=r"not a PostgreSQL URL.*postgresql://user:password@host") as failure:
        hold(spot, url)

    assert "h3mlig" not in str(failure.value)
    assert failure.value.__suppress_context__


def test_a_given_database_older_than_15_is_refused(spot: Path):
    expected = r"127.0.0.1:\d+/name\) is version 14. Tidegate needs 15 or later"

    with pretended_postgres("14.9") as port, pytest.raises(DatabaseUnavailable, match=expected):
        hold(spot, f"postgresql://me@127.0.0.1:{port}/name")


def test_a_given_database_that_cannot_hold_every_letter_is_refused(running: Database, spot: Path):
    ask(running, "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")

    with pytest.raises(DatabaseUnavailable, match=r"/ascii\) is encoded in SQL_ASCII. Tidegate needs UTF8"):
        hold(spot, make_conninfo(running.url, dbname="ascii"))


# What the tests above say in words


def hold(home: Path, url: str | None = None) -> None:
    """Open a database and close it again."""
    with open_database(Settings(home=home, database_url=url)):  # pyright: ignore[reportArgumentType]
        return


def stays_so(answer: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    wait_for(lambda: not answer() or time.monotonic() > until, "some time has passed")
    assert answer()


def answer_of(database: Database, query: str) -> list[tuple] | None:
    """The rows, or None while the server is away."""
    try:
        return ask(database, query)
    except psycopg.OperationalError:
        return None


def until_cut_off(connection: psycopg.Connection, query: str) -> None:
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute(query.encode())


def processes_naming(path: Path) -> list[int]:
    return [process for process in all_processes() if str(path).encode() in words_of(process)]


def processes_titled(home: Path, title: bytes) -> list[int]:
    return [process for process in server_processes(data_of(home)) if title in words_of(process)]


def tcp_sockets(process: int) -> list[str]:
    """The TCP sockets that a process has open, as far as we may look."""
    open_files: set[str] = set()
    with contextlib.suppress(PermissionError):
        open_files = {str(file.readlink()) for file in Path(f"/proc/{process}/fd").iterdir()}
    tables = [Path("/proc/net", name).read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    return [line for table in tables for line in table if f"socket:[{line.split()[9]}]" in open_files]


@contextlib.contextmanager
def other_process_of_the_servers_user() -> Iterator[subprocess.Popen]:
    user = {"user": plain_user().pw_uid, "group": plain_user().pw_gid, "extra_groups": []} if ROOT else {}
    with subprocess.Popen(["/bin/sleep", "60"], **user) as process:
        try:
            yield process
        finally:
            process.kill()


def rewrite_pid_files(home: Path, number: int) -> None:
    """Both files that name the server's process."""
    place = place_of(home)
    for file in (place.data / "postmaster.pid", place.socket_folder / f"{SOCKET_NAME}.lock"):
        file.write_text("\n".join([str(number), *file.read_text().splitlines()[1:], ""]))


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[tuple[Path, bool]]:
    """A file system of its own, and whether it is one: a plain user, and root in a container, gets just a folder."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "none", folder]
    mounted = ROOT and subprocess.run(mount, check=False).returncode == 0
    try:
        yield folder, mounted
    finally:
        if mounted:
            wait_for(lambda: subprocess.run(["umount", folder], check=False).returncode == 0, "the disk is free again")


def grow(disk: Path, megabytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", disk], check=True)


def fill(filler: Path, until_full: bool) -> None:
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while until_full:
            file.write(bytes(65536))


def hold_or_explain(home: Path, mounted: bool) -> None:
    """Open the database; where no disk can be filled, hear what would be said on one."""
    if not mounted:
        raise from_system(OSError(28, "No space left on device"), home)
    hold(home)


@contextlib.contextmanager
def pretended_postgres(version: str) -> Iterator[int]:
    """A server that lets everybody in and says it is of this version; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=pretend, args=(server, version))
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def pretend(server: socket.socket, version: str) -> None:
    def message(kind: bytes, content: bytes) -> bytes:
        return kind + (len(content) + 4).to_bytes(4, "big") + content

    client, _ = server.accept()
    with client:
        while (packet := client.recv(4096))[4:8] in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30"):
            client.sendall(b"N")  # neither TLS nor GSS
        assert packet
        parameters = {"server_version": version, "client_encoding": "UTF8", "server_encoding": "UTF8"}
        said = [message(b"S", f"{name}\0{value}\0".encode()) for name, value in parameters.items()]
        client.sendall(b"".join([message(b"R", bytes(4)), *said, message(b"Z", b"I")]))
        client.recv(4096)  # it takes its leave
