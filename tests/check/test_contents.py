"""What is a pickle, a secret, a local path or a placeholder, and what only looks like one."""

import gzip
import io
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emohub.check.cards import PLACEHOLDERS
from emohub.check.contents import LOCAL, SECRETS, local_path_in, pickled, secrets_in, strings
from emohub.check.files import REFUSED

LETTERS = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6kL9nP2qR5tU8"


@pytest.mark.parametrize(
    "text",
    [
        "hf_hub_download(repo, name)",
        "export HF_TOKEN=hf_...",
        "hf_" + "x" * 12,
        "password = getpass.getpass()",
        'api_key = os.environ["OPENAI_API_KEY"]',
        'password: "your password here"',
        "sk-learn, sk-image",
        "AKIAIOSFODNN7",
        "https://user@example.org/path",
        "https://huggingface.co/datasets/org/name:latest",
        "http://{user}:{password}@host",
        "-----BEGIN PUBLIC KEY-----",
        "sha256: 355fcaf5682853f6554d7680f5d31f99f281b4d385923947e29c01bf34e0fa94",
        '"token": "[CLS]"',
    ],
)
def test_no_secret(text: str) -> None:
    assert [what for what, _, pattern in SECRETS if pattern.search(text)] == [] == [*secrets_in(text)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"hf_{LETTERS[:34]}", "Hugging Face"),
        (f"ghp_{LETTERS[:36]}", "GitHub"),
        (f"sk-proj-{LETTERS[:40]}", "OpenAI"),
        ("AIza" + LETTERS[:35], "Google"),
        (f"xoxb-{LETTERS[:24]}", "Slack"),
        (f"aws_secret_access_key = {LETTERS[:40]}", "AWS secret"),
        ("postgres://ann:s3cret@db.example.org/x", "URL"),
        ("eyJhbGciOiJIUzI1NiIsInR5.eyJzdWIiOiIxMjM0NTY3ODkw." + LETTERS[:24], "Web Token"),
        ("-----BEGIN OPENSSH " + "PRIVATE KEY-----", "private key"),
        (f"ASIA{LETTERS.upper()[:16]}", "AWS access"),
        (f"glpat-{LETTERS[:24]}", "GitLab"),
        (f"pypi-AgEIcHlwaS5vcmc{LETTERS[:26] * 2}", "PyPI"),
        ("auth_token: 'a1b2c3d4e5f6g7h8i9'", "plain text"),
        ("Access-Token: 'a1b2c3d4e5f6g7h8i9'", "plain text"),
        ("API_KEY = 'a1b2c3d4e5f6g7h8i9'", "plain text"),
        ("secret='a1b2c3d4e5f6g7h8i9'", "plain text"),
        ("Password: 'a1b2c3d4e5f6g7h8i9'", "plain text"),
        ("PASSWD='a1b2c3d4e5f6g7h8i9'", "plain text"),
    ],
)
def test_secret(text: str, what: str) -> None:
    (found,) = (name for name, _, pattern in SECRETS if pattern.search(text))
    assert what in found and [name for name, _ in secrets_in(f"before {text} after")] == [found]


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("/home/ann/data", True),
        ('"/root/.cache"', True),
        ("(/Users/ann)", True),
        ("D:\\Users\\ann", True),
        ("C:\\\\Users\\\\ann", True),
        ("file:///data/x", True),
        ("https://example.org/home/ann", False),
        ("assets/home/page.html", False),
        ("~/.cache/huggingface", False),
        ("go to /home or to /root", False),
        ("a profile:///x", False),
        ("/tmp/x and /data/x", False),
    ],
)
def test_local_paths(text: str, local: bool) -> None:
    assert bool(LOCAL.search(text)) is bool(local_path_in(text)) is local


@pytest.mark.parametrize(
    ("text", "placeholder"),
    [
        ("load_dataset('ORG/x')", True),
        ("ORG", False),
        ("https://x.ORG/y", False),
        ("your-username", True),
        ("my_model = load()", False),
        ("{{ model_name }}", True),
        ('f"{{{name}}}"', False),
        ("{% if x %}", True),
        ('S{\\"o}ren', False),
        ("a todo list", False),
        ("[more information needed]", True),
        ("<NAME>", True),
    ],
)
def test_placeholders(text: str, placeholder: bool) -> None:
    assert bool([what for what, pattern in PLACEHOLDERS if pattern.search(text)]) is placeholder


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("a/b-c_d.e (1).png", False),
        ("größe.png", False),
        (".eval_results/hq.yaml", False),
        ("a:b", True),
        ("a\\b", True),
        ("a /b", True),
        ("a.", True),
        ("a\nb", True),
        (" a", True),
    ],
)
def test_names(name: str, refused: bool) -> None:
    assert bool(REFUSED.search(name)) is refused


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _zip(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        *((pickle.dumps({"a": [1, 2.5]}, protocol), "by its content") for protocol in range(6)),
        (b"cos\nsystem\n(S'echo x'\ntR.", "by its content"),
        (_zip(weights=pickle.dumps([1])), "the pickle weights"),
        (_npz(a=np.array([None, {}], dtype=object)), "a.npy"),
        (b"\x93NUMPY\x01\x00 broken", "array of Python objects"),
        (b"PK\x03\x04 broken", "cannot be read"),
        (b"A text that ends with a full stop.", ""),
        (b"(a list).", ""),
        (b"", ""),
        (b".", ""),
        (_npz(a=np.zeros(3)), ""),
        (_zip(note=b"hello."), ""),
        (gzip.compress(b"text", mtime=0), ""),
        (b"\x89PNG\r\n\x1a\n....", ""),
    ],
)
def test_pickles(data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    found = pickled(tmp_path / "file")
    assert says in found if says else not found


def test_texts_of_parquet_are_read_however_deep_and_bytes_are_not(tmp_path: Path) -> None:
    rows = [{"a": "one", "b": {"c": ["two", None], "d": b"three"}, "e": [{"f": "four"}], "g": 5}, {"a": None}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    text = "\n".join(strings(tmp_path / "x.parquet"))
    assert all(word in text for word in ("one", "two", "four")) and "three" not in text
    (tmp_path / "y.parquet").write_bytes(b"no Parquet")
    assert list(strings(tmp_path / "y.parquet")) == []


@pytest.mark.parametrize("number", range(len(SECRETS)), ids=[what for what, _, _ in SECRETS])
@settings(max_examples=40)
@given(data=st.data())
def test_the_words_that_are_looked_for_first_hide_no_secret(number: int, data: st.DataObject) -> None:
    what, words, pattern = SECRETS[number]
    # A password is drawn with the digit and the letter for which its pattern looks ahead.
    drawn = re.sub(r"\(\?=.*?\\?[d\]]\)\(\?=.*?\]\)", "a1", pattern.pattern)
    text = data.draw(st.from_regex(drawn))
    assert pattern.search(text) and any(word in text.lower() for word in words)
    assert what in {found for found, _ in secrets_in(text)}


@settings(max_examples=100)
@given(st.from_regex(LOCAL))
def test_the_words_that_are_looked_for_first_hide_no_local_path(text: str) -> None:
    assert LOCAL.search(text) and local_path_in(text)
