"""Secrets are taken out of every text."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.engine._redact import MASK, Redactor, _forms, secrets_of

SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=20).filter(lambda s: s not in MASK)


@given(secret=SECRETS, before=st.text(max_size=10), after=st.text(max_size=10))
def test_no_form_of_a_secret_is_left(secret, before, after):
    redactor = Redactor([secret])
    for form in (
        secret,
        repr(secret),
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        quote(secret, safe=""),
    ):
        found = redactor.text(f"{before}\n{form}\n{after}")
        assert f"\n{form}\n" not in found
        assert MASK in found


@given(text=st.text(max_size=40).filter(lambda t: "://" not in t), secret=SECRETS)
def test_other_text_stays_as_it_is(text, secret):
    redactor = Redactor([secret])
    if redactor.text(text) != text:
        assert any(form in text for form in _forms(secret))


def test_through_lists_and_mappings():
    value = Redactor(["s3cr3t!"]).value({"a": ["x s3cr3t! y", 5, None], "b": {"c": "s3cr3t!"}})
    assert value == {"a": [f"x {MASK} y", 5, None], "b": {"c": MASK}}


def test_a_longer_secret_goes_before_the_one_that_begins_it():
    assert Redactor(["secret", "secret-longer"]).text("secret-longer") == MASK


def test_logins_leave_urls_and_nothing_else_does():
    redactor = Redactor([])
    assert redactor.text("see https://anna:pa55@example.org/a:b@c") == f"see https://{MASK}@example.org/a:b@c"
    assert redactor.text("12:30:00 a:b@c") == "12:30:00 a:b@c"
    assert redactor.maybe(None) is None


@pytest.mark.parametrize(
    "name", ["API_KEY", "MY_TOKEN", "db_password", "AWS_SECRET_ACCESS_KEY", "PGPASSWD", "PRIVATE_KEY"]
)
def test_variables_that_speak_of_secrets_are_known(name):
    assert secrets_of([], {name: "hunter22", "HOME": "/home/anna"}) == {"hunter22"}


def test_variables_that_params_refer_to_are_known_however_deep():
    params = {"login": {"with": ["env:LAB_LOGIN", "env:ABSENT"]}, "other": "environment"}
    assert secrets_of([params], {"LAB_LOGIN": "hunter22", "HOME": "x"}) == {"hunter22"}


def test_short_words_are_left_alone():
    assert Redactor(["abc"]).text("abcabc") == "abcabc"
