"""A plain credential is found wherever it stands, is never shown, and references to one are left alone."""

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hubctl.errors import InputError
from hubctl.inputs import edit, plain, start
from hubctl.model import credential
from tests.inputs.inputfolder import OVERRIDE, SPOKE, VALUES, Folder
from tests.inputs.tokens import KEYS, PEM, SHAPED, secret_part, word

GITHUB = "ghp_" + "a1" * 18


def whys(data: Any) -> list[str]:
    return [found.why for found in credential.findings(data)]


@given(SHAPED | PEM, st.sampled_from(["note", "url", "args", "data"]))
@settings(deadline=None)
def test_every_shape_is_found_under_any_key(token: str, key: str) -> None:
    found = list(credential.findings({"a": [{key: f"x {token} y"}]}))
    assert [(each.trail, each.sure) for each in found] == [(("a", 0, key), True)]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", ["hunter22", "Xk3/v9+=q", "correct horse battery", "p4ss"])
def test_literal_under_a_key_that_says_so_is_found(key: str, value: str) -> None:
    assert whys({"x": {key: value}}) == [f"has a value under the key {key!r}"]
    assert whys({"env": [{"name": key, "value": value}]}) == [f"has a value for {key!r}"]
    assert whys({"text": f"a: 1\n{key}: {value}\n"}) == [f"holds a value for {key!r}"]


@pytest.mark.parametrize(
    "data",
    [
        {"password": ""},
        {"password": None},
        {"password": "{{ .Values.global.password }}"},
        {"password": "[[ secret ]]"},
        {"password": "$(DB_PASSWORD)"},
        {"password": "${DB_PASSWORD}"},
        {"password": "<path:secret/data/db#password>"},
        {"password": "vault:secret/data/db#password"},
        {"password": "ENC[AES256_GCM,data:abc,type:str]"},
        {"password": "/var/run/secrets/db/password"},
        {"password": "secret/data/hub/db"},
        {"token": "********"},
        {"secretKey": "AWS_SECRET_ACCESS_KEY"},
        {"password": {"secretKeyRef": {"name": "db", "key": "password"}}},
        {"passwordSecretRef": {"name": "db"}},
        {"tokenFile": "/run/token", "tokenTTL": "5m", "tokenEnv": "TOKEN", "secretName": "db", "passwordKey": "pass"},
        {"pullSecret": "quay-pull", "existingSecret": "db.creds", "credentials": "team/db", "secret": "model-storage"},
        {"maxTokens": 4096, "tokenizer": "bert", "token": True, "publicKey": "abc", "keyFile": "id"},
        {"automountServiceAccountToken": False, "auth": {"type": "token"}},
        {"remote": "ssh://git@git.example.com/x", "url": "https://{{ .user }}:{{ .password }}@host/x"},
        {"note": "Basic authentication", "other": "the bearer of bad news", "words": "Basic configuration"},
        {"certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"},
        {"digest": "sha256:" + "a" * 64, "image": "quay.io/x@sha256:" + "b" * 64},
    ],
)
def test_references_and_other_words_are_left_alone(data: dict[str, Any]) -> None:
    assert whys(data) == []


def test_number_is_a_password_but_no_token() -> None:
    assert whys({"password": 12345678, "token": 42}) == ["has a value under the key 'password'"]


PLACES = {
    "our values": (
        "values-hub.yaml",
        f"{VALUES}hubctl: {{notify: {{webhooks: [{{name: TOKEN, url: 'http://a'}}]}}}}\n",
    ),
    "unknown key of ours": ("values-hub.yaml", f"{VALUES}hubctl: {{observe: {{token: TOKEN}}}}\n"),
    "command": ("values-hub.yaml", f"{VALUES}hubctl: {{models: {{a: {{features: {{command: [x, TOKEN]}}}}}}}}\n"),
    "other section": ("values-hub.yaml", f"{VALUES}other: {{deep: [{{note: TOKEN}}]}}\n"),
    "beside kserve": ("values-hub.yaml", VALUES.replace("  kserve:", "  note: TOKEN\n  kserve:")),
    "label": ("clusters/edge-a.yaml", SPOKE.replace("name: edge-a", "name: edge-a\n  labels: {note: TOKEN}")),
    "route": ("clusters/edge-a.yaml", SPOKE.replace("  models:", "  route: {type: url, url: TOKEN}\n  models:")),
    "name of a spoke": ("clusters/edge-a.yaml", SPOKE.replace("name: edge-a", "name: TOKEN")),
    "group": ("values-hub.yaml", f"{VALUES}hubctl: {{groups: [{{name: a, match: {{x: TOKEN}}}}]}}\n"),
    "override": ("overrides/x.yaml", OVERRIDE.replace("version: v2", "version: TOKEN")),
}
BROKEN = {
    "key twice": ("values-hub.yaml", f"{VALUES}token: TOKEN\ntoken: TOKEN\n"),
    "no YAML": ("values-hub.yaml", f"{VALUES}password: TOKEN: x\n"),
    "open quote": ("clusters/edge-a.yaml", f'{SPOKE}  password: "TOKEN\n'),
    "tag": ("values-hub.yaml", f"{VALUES}password: !vault TOKEN\n"),
    "merge": ("values-hub.yaml", f"{VALUES}<<: TOKEN\n"),
    "wrong type": ("values-hub.yaml", f"{VALUES}hubctl: TOKEN\n"),
}


@given(token=SHAPED)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("place", PLACES)
def test_credential_in_any_file_is_an_error_that_does_not_show_it(folder: Folder, place: str, token: str) -> None:
    file, text = PLACES[place]
    before = (folder.root / file).read_bytes() if (folder.root / file).exists() else None
    folder.write(file, text.replace("TOKEN", yaml.safe_dump(token, width=999).removesuffix("...\n").strip()))
    problems = folder.problems()
    folder.write(file, before or "") if before else (folder.root / file).unlink()
    assert any("plain text" in each.message or "without user and password" in each.message for each in problems)
    assert all(each.where.startswith(f"{file}:") for each in problems)
    assert secret_part(token) not in "".join(f"{each!r}{each}{each.hint}{each.__context__}" for each in problems)


@given(token=SHAPED | word(14).map(lambda text: f"0{text}"))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("place", BROKEN)
def test_file_that_cannot_be_read_does_not_show_one_either(folder: Folder, place: str, token: str) -> None:
    # Without a shape only the key tells, and these have none.
    assume(place not in ("merge", "wrong type") or not token.startswith("0"))
    file, text = BROKEN[place]
    before = (folder.root / file).read_bytes()
    folder.write(file, text.replace("TOKEN", token))
    problems = folder.problems()
    folder.write(file, before)
    assert secret_part(token) not in "".join(f"{each!r}{each}{each.hint}{each.__context__}" for each in problems)


def test_private_key_in_a_block_is_found_by_its_field(folder: Folder) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\n    MIIEsecret\n    -----END RSA PRIVATE KEY-----"
    folder.write("values-hub.yaml", f"{VALUES}git:\n  ssh: |\n    {key}\n")
    (problem,) = folder.problems()
    assert problem.where == "values-hub.yaml:8 git.ssh"
    assert problem.message == "holds a private key, expected no credential in plain text"
    assert "ExternalSecret" in problem.hint


def test_key_alone_is_an_error_in_ours_and_a_warning_in_theirs(folder: Folder) -> None:
    folder.write("values-hub.yaml", f"{VALUES}grafana:\n  adminPassword: hunter22\n")
    (warning,) = [each for each in folder.load().warnings if "adminPassword" in each]
    assert warning.startswith("values-hub.yaml:8 grafana.adminPassword: has a value under the key 'adminPassword'")
    folder.change("clusters/edge-a.yaml", "name: edge-a", "name: edge-a\n  annotations: {adminPassword: hunter22}")
    (problem,) = folder.problems()
    assert problem.where == "clusters/edge-a.yaml:5 metadata.annotations.adminPassword"
    assert "hunter22" not in warning + str(problem)


MARK = "hubctl:\n  notCredentials:\n    - {%s, reason: a test}\n"


@pytest.mark.parametrize("mark", ["field: other.note", "field: 'other.*'", "field: other.note, file: values-hub.yaml"])
def test_marked_field_is_no_credential(folder: Folder, mark: str) -> None:
    folder.write("values-hub.yaml", f"{VALUES}{MARK % mark}other: {{note: {GITHUB}}}\n")
    assert folder.load().warnings == ("model 'predictive-analytics' is registered but no spoke serves it",)


def test_mark_counts_for_its_file_only(folder: Folder) -> None:
    folder.change("clusters/edge-a.yaml", "name: edge-a", f"name: edge-a\n  annotations: {{note: {GITHUB}}}")
    folder.write("values-hub.yaml", VALUES + MARK % "field: metadata.annotations.note")
    assert folder.problems()[0].where == "clusters/edge-a.yaml:5 metadata.annotations.note"
    folder.write("values-hub.yaml", VALUES + MARK % "field: metadata.annotations.note, file: clusters/*")
    assert folder.load().clusters[0].name == "edge-a"


def test_mark_that_marks_nothing_is_a_warning(folder: Folder) -> None:
    folder.write("values-hub.yaml", VALUES + MARK % "field: other.note")
    (warning,) = [each for each in folder.load().warnings if "notCredentials" in each]
    assert warning == ("values-hub.yaml:9 hubctl.notCredentials[0] is not read: nothing there looks like a credential")


def test_mark_needs_a_reason(folder: Folder) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl: {{notCredentials: [{{field: a}}]}}\n")
    assert "missing key 'reason'" in folder.problems()[0].message


def test_commands_that_write_files_take_no_credential() -> None:
    with pytest.raises(InputError) as caught:
        edit.register_model(VALUES, "disk", description=f"see {GITHUB}")
    assert GITHUB not in str(caught.value)
    problem = start.refusal("remote", f"https://git.example.com/{GITHUB}")
    assert problem
    assert GITHUB not in str(problem)


@given(st.text(max_size=80))
@settings(deadline=None)
def test_masking_never_fails_and_masks_once(text: str) -> None:
    once = credential.masked(text)
    assert credential.masked(once) == once


@pytest.mark.parametrize(
    "text", ["a" * 300_000, "a." * 150_000, "x:" * 150_000, "a://" * 70_000, "-----BEGIN PRIVATE KEY-----" * 9000]
)
def test_long_lines_take_no_time(text: str) -> None:
    begun = time.process_time()
    assert credential.masked(text)
    assert whys({"note": text, "password": text}) is not None
    assert time.process_time() - begun < 10


def test_samples_of_the_repository_hold_none(folder: Folder) -> None:
    root = Path(__file__).parents[2]
    for path in [root / "values-hub.yaml", *sorted((root / "clusters").glob("*.yaml"))]:
        assert whys(yaml.safe_load(path.read_text())) == [], path.name
    assert folder.load().warnings is not None


VEILED = """\
a: 1
password: ***
   ***
b: {user: x, password: ***
key: ***
  ***
  ***
  -----END RSA PRIVATE KEY-----
url: ***
image: quay.io/x:latest
secretName: foo
dbPassword: ""  # set elsewhere
tokenTTL: 5m
env:
- name: API_TOKEN
  value: ***
- {name: x, value: "4"}
"""


def test_file_is_veiled_line_by_line() -> None:
    plain_text = """\
a: 1
password: |
   hunter22
b: {user: x, password: hunter22, z: 1}
key: |
  -----BEGIN RSA PRIVATE KEY-----
  MIIabc
  -----END RSA PRIVATE KEY-----
url: https://me:pw@host/x
image: quay.io/x:latest
secretName: foo
dbPassword: ""  # set elsewhere
tokenTTL: 5m
env:
- name: API_TOKEN
  value: hunter22
- {name: x, value: "4"}
"""
    assert plain.veiled(plain_text) == VEILED


@pytest.mark.parametrize(
    "text", ["password: |\n  hunter22\n oops\n", "key: |\n  -----BEGIN PRIVATE KEY-----\n hunter22\n"]
)
def test_broken_line_below_a_key_that_says_so_is_not_shown(folder: Folder, text: str) -> None:
    folder.write("values-hub.yaml", text)
    problems = folder.problems()
    assert problems[0].where.startswith("values-hub.yaml:")
    assert "hunter22" not in "".join(map(str, problems))
