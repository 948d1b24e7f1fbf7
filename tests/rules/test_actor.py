"""Who acts."""

import pytest

from tidegate.rules.actor import AUTO_MAP, TIDEGATE, Actor


def test_an_actor_is_stored_by_name():
    assert str(Actor("person", "alice")) == "alice"
    assert str(Actor("rule", "by team")) == "rule by team"
    assert (str(AUTO_MAP), AUTO_MAP.how) == ("auto-map", "auto-map")
    assert str(TIDEGATE) == "tidegate"


@pytest.mark.parametrize("name", ["auto-map", "tidegate", "schedule", "rule by team", "", " "])
def test_a_person_cannot_take_the_name_of_something_that_is_not_one(name: str):
    with pytest.raises(ValueError):
        Actor("person", name)
