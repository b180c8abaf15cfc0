"""What is secret by its name or its form is shown nowhere; what only looks a little like it is."""

from collections import ChainMap, OrderedDict, UserDict

import pytest

from turgo.redaction import HIDDEN, is_secret, redacted, redacted_repr, redacted_text


@pytest.mark.parametrize(
    "name",
    [
        "password", "PASSWORD", "db_passwd", "pwd", "passphrase", "secret", "client_secret", "token", "api_key",
        "apikey", "API-KEY", "aws_secret_access_key", "account_key", "private_key", "tls_client_key", "auth",
        "cluster_kwargs.password", "authorization", "credentials",
    ],
)  # fmt: skip
def test_a_name_tells_a_secret(name):
    """In any case of letters, and within a dotted one."""
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "author",
        "cache_key",
        "key",
        "keys",
        "monkey",
        "tokenizer",
        "compass",
        "tls_client_cert",
        "address",
        "n",
    ],
)
def test_other_names_tell_none(name):
    """Though they have a few letters of it."""
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://bob:hunter2@host/x", "https://bob:***@host/x"),
        ("postgresql+psycopg://bob:h@nter2@db:5432/x", "postgresql+psycopg://bob:***@db:5432/x"),
        ("s3://AKIA:sec/ret@bucket", "s3://AKIA:***@bucket"),
        ("redis://:hunter2@host", "redis://:***@host"),
        ("https://host/x?token=abc&y=1", "https://host/x?token=***&y=1"),
        ("https://a.blob/c?sv=1&sig=AbC%3D", "https://a.blob/c?sv=1&sig=***"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ***"),
        ("Server=db;Password=hunter2;Port=1", "Server=db;Password=***;Port=1"),
        ("connect(password='hunter 2', port=1)", "connect(password=***, port=1)"),
        ("of AKIAIOSFODNN7EXAMPLE", "of ***"),
        ("ghp_0123456789abcdefABCDEF", "***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "***"),
    ],
)
def test_a_form_tells_a_secret(text, shown):
    """In a text of any kind: what is around it stays."""
    assert redacted_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "tcp://127.0.0.1:8786",
        "https://host:8080/team@home",
        "memory://cache",
        "a basic flow of 3 tokens",
        "data/f137.txt",
        "key=3, limit=2",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_other_texts_stay_as_they_are(text):
    """Character by character."""
    assert redacted_text(text) == text


def test_a_value_keeps_its_shape():
    """Mappings and collections within each other; a reference to a secret is none."""
    value = {
        "cluster_kwargs": OrderedDict(password="hunter2", n_workers=3, pin_token=1234, empty_token=""),
        "urls": ["https://u:p@host", ("tcp://host:1",)],
        "token": {"env": "HPC_TOKEN"},
        "api_key": None,
    }
    assert redacted(value) == {
        "cluster_kwargs": {"password": HIDDEN, "n_workers": 3, "pin_token": HIDDEN, "empty_token": ""},
        "urls": ["https://u:***@host", ("tcp://host:1",)],
        "token": {"env": "HPC_TOKEN"},
        "api_key": None,
    }
    assert value["cluster_kwargs"]["password"] == "hunter2"


class Connection:
    """An object whose own repr tells all."""

    def __repr__(self):
        return "Connection('https://bob:hunter2@host', password='hunter2')"


def test_an_object_that_tells_all_is_silenced():
    """By the form of what it says, or altogether by its name."""
    assert "hunter2" not in redacted_repr(Connection())
    assert redacted_repr(Connection(), "credential") == HIDDEN


@pytest.mark.parametrize("part", ["A-", "a.", "token", "&a.a", "tcp://node:8786,"])
def test_a_long_text_is_looked_through_once(part):
    """Not once for each place in it: an alignment of genes or a list of addresses would take hours."""
    text = part * 50_000
    assert redacted_text(text) == text


def test_a_part_of_a_value_holds_no_part_of_a_secret():
    """Also if the secret ends behind what is shown."""
    assert "hunter" not in redacted_repr(["https://bob:" + "hunter" * 20 + "@host"], most=40)
    assert redacted_repr(["abc"] * 1000, most=6) == "['abc'"


def test_a_collection_that_holds_itself_is_shown():
    """As Python shows it; what it holds twice is no such thing."""
    inner = [1]
    value = [inner, inner]
    value.append(value)
    assert redacted_repr(value) == "[[1], [1], '...']"


def test_what_is_no_plain_mapping_is_not_gone_through():
    """It shows itself, without what looks like a secret; a value with no truth of its own is hidden by its name."""
    shelf = UserDict(password="hunter2")
    assert redacted(shelf) is shelf
    assert "hunter2" not in redacted_repr(ChainMap({"url": "https://u:hunter2@host"}))
    assert redacted_repr(Truthless(), "token") == HIDDEN


class Truthless:
    """As an array of several numbers is."""

    def __bool__(self):
        raise ValueError("ambiguous")
