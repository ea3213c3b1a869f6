"""API keys: made, kept as digests, looked up, revoked, and read again while the service runs."""

import hashlib
import hmac
import json
import threading

import pytest

from features.errors import UserError
from serving import keys as module
from serving.keys import Keys, default_file, make, refuse_open_to_network, revoke

KEY = "k" * 32


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys.json"


@pytest.fixture
def watched(monkeypatch):
    """Every question looks at the file."""
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LOOKS", 0.0)


def test_a_key_that_was_made_names_its_holder(file):
    crm, till = make(file, "crm", "scorer"), make(file, "till", "writer")
    found = Keys(file)
    assert [(found.holder(key).name, found.holder(key).role) for key in (crm, till)] == [
        ("crm", "scorer"),
        ("till", "writer"),
    ]
    assert found.holder(crm + "x") is None
    assert found.holder("") is None


def test_the_file_keeps_digests_for_its_owner_alone(file):
    key = make(file, "crm", "scorer")
    assert json.loads(file.read_text()) == {
        "crm": {"role": "scorer", "sha256": hashlib.sha256(key.encode()).hexdigest()}
    }
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["keys.json"]


def test_keys_are_long_and_never_the_same(file):
    made = {make(file, f"n{k}", "scorer") for k in range(20)}
    assert len(made) == 20
    assert {len(key.removeprefix("holdfast_")) for key in made} == {43}  # 256 bits in base 64


def test_keys_made_at_the_same_moment_are_all_kept(file):
    threads = [threading.Thread(target=make, args=(file, f"n{k}", "scorer")) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(json.loads(file.read_text())) == {f"n{k}" for k in range(8)}


def test_a_revoked_key_is_nobodys(file):
    key, other = make(file, "crm", "scorer"), make(file, "till", "writer")
    revoke(file, "crm")
    found = Keys(file)
    assert (found.holder(key), found.holder(other).name) == (None, "till")


def test_a_lookup_compares_with_every_key(file, monkeypatch):
    first, *_ = [make(file, f"n{k}", "scorer") for k in range(5)]
    found, compared, compare = Keys(file), [], hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda *two: compared.append(two) or compare(*two))
    assert found.holder(first).name == "n0"
    assert len(compared) == 5


def test_a_changed_file_takes_effect_by_itself(file, watched):
    key = make(file, "crm", "scorer")
    found = Keys(file)
    new = make(file, "till", "writer")
    revoke(file, "crm")
    assert (found.holder(key), found.holder(new).name) == (None, "till")


def test_the_file_is_looked_at_once_a_second_at_most(file, monkeypatch):
    make(file, "crm", "scorer")
    moment = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: moment[0])
    found = Keys(file)
    new = make(file, "till", "writer")
    moment[0] = 100.9
    assert found.holder(new) is None
    moment[0] = 101.0
    assert found.holder(new).name == "till"


def test_without_keys_the_service_is_open_until_there_is_one(file, watched):
    found = Keys(file)
    assert found.are_none()
    make(file, "crm", "scorer")
    assert not found.are_none()


def test_a_file_that_vanishes_or_holds_nobody_does_not_open_the_service(file, watched):
    key = make(file, "crm", "scorer")
    found = Keys(file)
    file.unlink()
    assert (found.are_none(), found.holder(key)) == (False, None)
    file.write_text("{}")
    assert not Keys(file).are_none()


def test_a_slip_in_the_file_leaves_the_former_keys(file, watched, caplog):
    key = make(file, "crm", "scorer")
    found = Keys(file)
    file.write_text("{")
    assert found.holder(key).name == "crm"
    assert "cannot be read (JSONDecodeError)" in caplog.text
    assert "Until then the former keys go on." in caplog.text


def test_the_variable_holds_keys_too(file, monkeypatch, workspace):
    monkeypatch.setenv("HOLDFAST_API_KEYS", f"crm:scorer:{KEY}, ops:admin:{KEY}:with:colons,")
    found = Keys.from_environment(workspace)
    assert (found.holder(KEY).name, found.holder(f"{KEY}:with:colons").role) == ("crm", "admin")
    assert not found.are_none()


def test_the_file_is_where_the_environment_says(file, monkeypatch, workspace):
    key = make(workspace.root / "keys.json", "crm", "scorer")
    assert Keys.from_environment(workspace).holder(key).name == "crm"
    other = make(file, "other", "scorer")
    monkeypatch.setenv("HOLDFAST_API_KEYS_FILE", str(file))
    assert default_file(workspace) == file
    assert Keys.from_environment(workspace).holder(other).name == "other"


def test_a_file_that_is_named_may_come_later_where_there_are_other_keys(
    file, monkeypatch, workspace, watched
):
    monkeypatch.setenv("HOLDFAST_API_KEYS_FILE", str(file))
    monkeypatch.setenv("HOLDFAST_API_KEYS", f"crm:scorer:{KEY}")
    found = Keys.from_environment(workspace)
    key = make(file, "till", "writer")
    assert (found.holder(KEY).name, found.holder(key).name) == ("crm", "till")


def test_a_file_that_is_named_must_be_there(file, monkeypatch, workspace):
    monkeypatch.setenv("HOLDFAST_API_KEYS_FILE", str(file))
    with pytest.raises(UserError) as refused:
        Keys.from_environment(workspace)
    assert str(refused.value) == (
        f"HOLDFAST_API_KEYS_FILE names {file}, which does not exist, and there are no other keys. "
        "Make a key, which makes the file, or unset the variable."
    )


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        (
            f"crm:scorer:{KEY},crm",
            "Entry 2 of HOLDFAST_API_KEYS cannot be used: an entry is name:role:key, with a key of "
            "at least 32 characters. Write it so, with a key made at random.",
        ),
        (
            f"crm:reader:{KEY}",
            "Entry 1 of HOLDFAST_API_KEYS has the role 'reader'. Use one of scorer, writer, admin.",
        ),
        (
            f"a b:scorer:{KEY}",
            "Entry 1 of HOLDFAST_API_KEYS cannot be kept: a name is 1 to 100 letters, digits, "
            "dots, dashes or underscores. Choose such a name.",
        ),
        (
            f"crm:scorer:{KEY},crm:admin:{KEY}2",
            "Entry 2 of HOLDFAST_API_KEYS names crm again. Give each key a name of its own.",
        ),
    ],
)
def test_a_malformed_variable_gets_a_sentence_without_the_key(file, variable, sentence):
    with pytest.raises(UserError) as refused:
        Keys(file, variable)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("[1]", r"cannot be read \(AttributeError\)"),
        ("not json", r"cannot be read \(JSONDecodeError\)"),
        ('{"crm": {"role": "scorer"}}', r"cannot be read \(KeyError\)"),
        ('{"crm": 7}', r"cannot be read \(TypeError\)"),
        ('{"crm": {"role": "king", "sha256": "' + "0" * 64 + '"}}', "has the role 'king'"),
        ('{"crm": {"role": "scorer", "sha256": "secret"}}', "is no SHA-256 digest of 64"),
    ],
)
def test_a_malformed_file_gets_a_sentence_and_is_not_replaced(file, content, what):
    file.write_text(content)
    for call in (lambda: Keys(file), lambda: make(file, "new", "scorer")):
        with pytest.raises(UserError, match=what):
            call()
    assert file.read_text() == content


def test_one_name_has_one_key(file):
    make(file, "crm", "scorer")
    with pytest.raises(UserError, match=r"crm has a key in .* already"):
        make(file, "crm", "admin")
    with pytest.raises(UserError, match="crm has a key in the file and one in HOLDFAST_API_KEYS"):
        Keys(file, f"crm:admin:{KEY}")


@pytest.mark.parametrize(("name", "role"), [("", "scorer"), ("a:b", "scorer"), ("crm", "boss")])
def test_a_key_needs_a_name_and_a_role(file, name, role):
    with pytest.raises(UserError):
        make(file, name, role)
    assert not file.exists()


def test_who_has_no_key_loses_none(file):
    make(file, "crm", "scorer")
    with pytest.raises(UserError, match=r"has none of that name. It has: crm\."):
        revoke(file, "till")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1"])
def test_without_keys_this_machine_may_be_listened_on(file, host):
    refuse_open_to_network(host, Keys(file))


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::"])
def test_the_network_needs_keys(file, host):
    with pytest.raises(UserError) as refused:
        refuse_open_to_network(host, Keys(file))
    assert str(refused.value) == (
        f"The service was to listen on {host}, where others reach it, and has no API keys. "
        "Make one first, or listen on 127.0.0.1."
    )
    refuse_open_to_network(host, Keys(file, f"crm:scorer:{KEY}"))
