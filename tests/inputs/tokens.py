"""Credentials of every shape, generated; none of them opens anything."""

import base64
import string

from hypothesis import strategies as st

WORD = string.ascii_letters + string.digits
SAFE = f"{WORD}-_"


def word(size: int, alphabet: str = WORD) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=size, max_size=size)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


JWT = st.tuples(word(12), word(30, SAFE)).map(
    lambda parts: ".".join([encoded('{"alg":"RS256"}'), encoded(f'{{"sub":"{parts[0]}"}}'), parts[1]])
)
SHAPED = st.one_of(
    word(16, string.ascii_uppercase + string.digits).map("AKIA".__add__),
    word(36).map("ghp_".__add__),
    word(60).map("github_pat_".__add__),
    word(20, SAFE).map("glpat-".__add__),
    word(43, SAFE).map("sha256~".__add__),
    word(34).map("hf_".__add__),
    word(24).map("xoxb-".__add__),
    word(24).map("https://hooks.slack.com/services/T0/B0/".__add__),
    word(24).map(lambda text: f"Bearer 0{text}"),
    word(12).map(lambda text: f"Basic {base64.b64encode(f'me:{text}'.encode()).decode()}"),
    word(16).map(lambda text: f"https://me:{text}@git.example.com/fleet.git"),
    JWT,
)
"""Each of a shape that tells what it is."""

PEM = word(64).map(lambda text: f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}\n-----END OPENSSH PRIVATE KEY-----\n")
KEYS = (
    "password", "dbPassword", "token", "apiToken", "secretKey", "aws_secret_access_key", "AWS_SECRET_ACCESS_KEY",
    "clientSecret", "client-secret", "bearer", "apiKey", "api_key", "privateKey", "passphrase", "authorization",
)  # fmt: skip
"""Keys under which a literal value is a credential."""


def secret_part(token: str) -> str:
    """What of a credential must not be shown: of a URL its password, of a header what comes after the word."""
    if "://me:" in token:
        return token.partition("://me:")[2].partition("@")[0]
    if token.startswith("-----"):
        return token.splitlines()[1]
    return token.rpartition(" ")[2]
