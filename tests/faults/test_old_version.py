"""promises.md, process faults: an old worker beside a migrated schema stops taking work and says so."""

from __future__ import annotations

from tests.faults.house import House, until
from tidegate.server.part import MEND


def migrate_to_the_future(house: House) -> None:
    """A newer Tidegate has been here."""
    house.do("INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_later', now())")


def test_an_old_worker_takes_nothing_more_and_says_so(house: House) -> None:
    """What runs ends properly, what is asked for next waits for the new version's worker, and the exit code tells."""
    old = house.worker(concurrency=2, stop=["before record #2"])
    running = house.ask("sync")
    stopped = house.stopped()
    migrate_to_the_future(house)
    waiting = house.ask("sync", house.beta)
    until(lambda: old.ended or not house.do("SELECT 1 FROM procrastinate_jobs WHERE status = 'todo'"), "it is offered")
    stopped.go_on()

    assert old.code() == MEND, old.said
    assert "newer Tidegate" in old.said
    assert "9999_later" in old.said
    assert "new version's worker" in old.said
    assert house.operation(waiting).status == "pending"
    assert house.operation(running).deaths == 0
    assert house.operation(running).status in ("partial", "running")

    house.do("DELETE FROM django_migrations WHERE name = '9999_later'")  # for the tests, we are the new version
    house.restart()
    assert house.ends(running).deaths == 0
    assert house.ends(waiting).status == "success"


def test_an_old_scheduler_ends_and_says_so(house: House) -> None:
    """It would ask for things in an old way."""
    old = house.scheduler()
    until(lambda: house.do("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"), "it keeps the time")
    migrate_to_the_future(house)

    assert old.code() == MEND, old.said
    assert "newer Tidegate" in old.said


def test_old_parts_do_not_start(house: House) -> None:
    """`tidegate up` does not try them again and again, and nothing is written."""
    migrate_to_the_future(house)
    number = house.ask("sync")
    for part in (house.worker(), house.scheduler(), house.start("sync", "Acme")):
        assert part.code() in (MEND, 1)
        assert "newer Tidegate" in part.said
    assert house.operation(number).attempt == 0
