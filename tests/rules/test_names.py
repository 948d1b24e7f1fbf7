"""Names of Products and Product Types: trimmed, NFC, 1–255 characters, unique exactly."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.rules.auto_map import product_name
from tidegate.rules.names import NameRefused, clean_name, clean_text, made_clean, near_twins


def keeps_the_rules(name: str) -> bool:
    return (
        1 <= len(name) <= 255
        and name == name.strip()
        and unicodedata.is_normalized("NFC", name)
        and name.encode() is not None
        and not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name)
    )


def test_a_name_is_trimmed_and_normalized():
    """Names of Products and Product Types are trimmed, NFC."""
    assert clean_name("  Cafe\u0301 ") == "Café"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The name is empty; enter 1 to 255 characters."),
        ("\u200b\u2060 ", "The name is empty; enter 1 to 255 characters."),
        ("a\0b", "The name contains a character that cannot be shown (U+0000); enter it without."),
        ("a\nb", "The name contains a character that cannot be shown (U+000A); enter it without."),
        ("a\ud800", "The name contains a character that cannot be shown (U+D800); enter it without."),
        ("x" * 256, "The name has 256 characters; 255 are allowed."),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_with_a_sentence(text: str, sentence: str):
    """Names of Products and Product Types have 1–255 characters."""
    with pytest.raises(NameRefused) as refused:
        clean_name(text)

    assert str(refused.value) == sentence


def test_pictures_newer_than_this_python_are_letters_like_others():
    assert clean_name("\U0001fadf") == "\U0001fadf"
    with pytest.raises(NameRefused):
        clean_name("\u0378")


def test_a_text_keeps_its_lines_and_nothing_that_cannot_be_shown():
    assert clean_text(" a\r\nb\tc ", "note") == "a\nb\tc"
    with pytest.raises(NameRefused, match="The note contains"):
        clean_text("a\x1bb", "note")
    with pytest.raises(NameRefused, match="The note has 11 characters; 10 are allowed"):
        clean_text("x" * 11, "note", 10)


@given(st.text(max_size=400))
def test_what_is_made_of_any_text_is_a_name_that_may_be_used(text: str):
    name = made_clean(text, "Unnamed")

    assert keeps_the_rules(name)
    assert clean_name(name) == name


def test_near_twins_differ_by_what_a_person_does_not_see():
    """suggestions ignore case and warn of near twins"""
    others = ["shop", "Shop", "ＳＨＯＰ", " Shop", "Shops"]

    assert near_twins("Shop", others) == ["shop", "ＳＨＯＰ", " Shop"]
    assert near_twins("Straße", ["STRASSE"]) == ["STRASSE"]


# How auto-map tells names apart


@pytest.mark.parametrize(
    ("parent", "label", "taken", "name"),
    [
        ("EU", "Burp", set[str](), "shop"),
        ("EU", "Burp", {"shop"}, "shop (EU)"),
        ("EU", "Burp", {"shop", "shop (EU)"}, "shop (EU · Burp)"),
        ("EU", "Burp", {"shop", "shop (EU)", "shop (EU · Burp)"}, "shop (EU · Burp) 2"),
        ("", "Burp", {"shop"}, "shop (Burp)"),
        ("", "Burp", {"shop", "shop (Burp)", "shop (Burp) 2"}, "shop (Burp) 3"),
        ("", "", {"shop"}, "shop 2"),
    ],
)
def test_a_taken_name_is_told_apart_by_parent_label_and_last_a_number(
    parent: str, label: str, taken: set[str], name: str
):
    """the new one gets a name that tells them apart (its parent, the Connection's label; a number last)"""
    assert product_name("shop", parent, label, taken) == name


def test_a_vep_without_a_name_gets_one():
    assert product_name("\0 ", "", "", set()) == "Unnamed"


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300), st.integers(min_value=0, max_value=5))
def test_any_vendor_text_gives_free_names_that_may_be_used(vep: str, parent: str, label: str, times: int):
    taken: set[str] = set()
    for _ in range(times):
        name = product_name(vep, parent, label, taken)

        assert name not in taken
        assert keeps_the_rules(name)
        taken.add(name)


def test_thousands_of_one_name_are_not_counted_anew():
    taken, numbers = {"shop", "shop (Burp)"}, dict[str, int]()

    for _ in range(3000):
        taken.add(product_name("shop", "", "Burp", taken, numbers))

    assert "shop (Burp) 3001" in taken
    assert numbers == {"shop (Burp)": 3002}


def test_a_number_never_falls_off_a_long_name():
    taken = {"x" * 255}
    parts = ("x" * 255, "p" * 300, "l" * 300)

    for _ in range(4):
        taken.add(product_name(*parts, taken))

    assert len(taken) == 5
    assert sorted(name[-1] for name in taken) == [")", ")", "2", "3", "x"]
