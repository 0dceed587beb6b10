"""The file of `authplugin serve`: what it may say, and what each mistake in it is called."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authplugin.userauth import DEFAULT_ALGORITHMS, Prompts
from authplugin_corpus.places import VectorError
from authplugin_corpus.serve.users import (
    Configuration,
    Failure,
    Question,
    User,
    read_configuration,
)

KEY = (
    Ed25519PrivateKey.from_private_bytes(bytes(32))
    .public_key()
    .public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    .decode()
)
BLOB = base64.b64decode(KEY.split()[1])

WHOLE = f"""
methods = ["publickey", "hostbased@example.com"]
algorithms = ["ssh-rsa", "ssh-ed25519"]
root_directory = "/srv"
banner = "Willkommen\\n"

[[user]]
name = "alice"
password = "swordfish"
new_password = "Choose another one"
authorized_keys = ["{KEY}", "keys"]
requires = ["publickey", "keyboard-interactive"]
home_dir = "/home/alice"
delay = 0.5
fail = "refuse"

[[user.round]]
name = "Token"
instructions = "Look at it"

[[user.round.prompt]]
text = "Code: "
echo = true
answer = "492816"

[[user.round.prompt]]
text = "Anything: "

[[user.round]]

[[user]]
name = "bob"
round = []
"""


def read(tmp_path: Path, text: str) -> Configuration:
    path = tmp_path / "users.toml"
    path.write_text(text, encoding="utf-8")
    return read_configuration(path)


def test_every_key(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"# whose\n\n{KEY} alice@example.com\n", encoding="utf-8")
    alice = User(
        "alice",
        password="swordfish",
        new_password="Choose another one",
        keys=frozenset({BLOB}),
        rounds=(
            Question(
                Prompts([("Code: ", True), ("Anything: ", False)], "Token", "Look at it"),
                ("492816", None),
            ),
            Question(Prompts([]), ()),
        ),
        requires=("publickey", "keyboard-interactive"),
        home_dir="/home/alice",
        delay=0.5,
        fail=Failure.REFUSE,
    )
    assert read(tmp_path, WHOLE) == Configuration(
        {"alice": alice, "bob": User("bob", rounds=())},
        methods="publickey,hostbased@example.com",
        algorithms=("ssh-rsa", "ssh-ed25519"),
        root_directory="/srv",
        banner="Willkommen\n",
    )


def test_what_is_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, "user = []") == Configuration({})
    assert Configuration({}).algorithms == DEFAULT_ALGORITHMS
    assert Configuration({}).methods == "publickey,password,keyboard-interactive"


def test_no_secret_shows(tmp_path: Path) -> None:
    (tmp_path / "keys").touch()
    shown = repr(read(tmp_path, WHOLE))
    assert "swordfish" not in shown
    assert "492816" not in shown


def user(text: str) -> str:
    return f'[[user]]\nname = "alice"\n{text}'


ED25519 = "ssh-ed25519"
LONG = "x" * (64 * 1024 + 1)
"""One byte more than a text may have."""

WRONG = {
    "no TOML": ("user = ", "users.toml: no TOML: "),
    "too deep": (f"user = {'[' * 5000}", "users.toml: no TOML: "),
    "no user": ("", "users.toml: lacks 'user'"),
    "unknown key": ("users = []\nuser = []", "users.toml: has 'users', where only "),
    "one user": ('user = "alice"', "users.toml: user: expected an array"),
    "user that is no table": ("user = [3]", "users.toml: user[0]: expected an object"),
    "user without a name": ("[[user]]", "users.toml: user[0]: lacks 'name'"),
    "user without name": ('[[user]]\nname = ""', "user[0].name: expected a string that is not"),
    "unknown key of a user": (user("passwd = 3"), "user[0]: has 'passwd', where only "),
    "user twice": (user(user("")), "users.toml: user[1]: 'alice' is there twice"),
    "number for a password": (user("password = 3"), "user[0].password: expected a string"),
    "number for a folder": (user("home_dir = 3"), "user[0].home_dir: expected a string"),
    "one for a list": (user('authorized_keys = "x"'), "user[0].authorized_keys: expected an array"),
    "no such file": (user('authorized_keys = ["x"]'), "authorized_keys[0]: expected a public key"),
    "no file at all": (
        user('authorized_keys = ["a\\u0000b"]'),
        "authorized_keys[0]: expected a public key",
    ),
    "no text": (user('authorized_keys = ["binary"]'), "authorized_keys[0]: expected a public key"),
    "no base64": (user(f'authorized_keys = ["{ED25519} x!"]'), "its type, and base64"),
    "no key": (user(f'authorized_keys = ["{ED25519} "]'), "its type, and base64"),
    "part of a key": (
        user(f'authorized_keys = ["{KEY[:-8]}"]'),
        "user[0].authorized_keys[0]: expected a public key: the public key is truncated",
    ),
    "another type of key": (
        user(f'authorized_keys = ["{KEY.replace(ED25519, "ssh-rsa")}"]'),
        "expected a public key: the public key is not of type ssh-rsa",
    ),
    "unknown type of key": (
        user(f'authorized_keys = ["{KEY.replace(ED25519, "rot13")}"]'),
        "expected a public key of one of these types: ssh-ed25519, ",
    ),
    "no round": (user("round = [3]"), "user[0].round[0]: expected an object"),
    "unknown key of a round": (
        user("[[user.round]]\nprompts = []"),
        "user[0].round[0]: has 'prompts', where only ",
    ),
    "prompt without a text": (
        user("[[user.round]]\nprompt = [{}]"),
        "user[0].round[0].prompt[0]: lacks 'text'",
    ),
    "empty prompt": (
        user('[[user.round]]\nprompt = [{text = ""}]'),
        "user[0].round[0].prompt[0].text: expected a string that is not empty",
    ),
    "number for an echo": (
        user('[[user.round]]\nprompt = [{text = "x", echo = 1}]'),
        "user[0].round[0].prompt[0].echo: expected true or false",
    ),
    "number for an answer": (
        user('[[user.round]]\nprompt = [{text = "x", answer = 1}]'),
        "user[0].round[0].prompt[0].answer: expected a string",
    ),
    "too many rounds": (user(f"round = [{'{},' * 17}]"), "user[0].round: expected at most 16 "),
    "too many prompts": (
        user("[[user.round]]\nprompt = [" + '{text = "x"},' * 65 + "]"),
        "user[0].round[0]: expected at most 64 prompts",
    ),
    "requires what there is not": (
        user('requires = ["password"]'),
        "user[0].requires[0]: 'alice' has nothing for 'password'",
    ),
    "requires something twice": (
        user('password = "x"\nrequires = ["password", "password"]'),
        "user[0].requires[1]: 'password' is there twice",
    ),
    "nothing to change": (
        user('new_password = "Choose"'),
        "user[0].new_password: expected a password beside it",
    ),
    "negative delay": (user("delay = -1"), "user[0].delay: expected seconds, from 0 to 3600"),
    "no delay": (user("delay = nan"), "user[0].delay: expected seconds, from 0 to 3600"),
    "true for a delay": (user("delay = true"), "user[0].delay: expected seconds, from 0 to 3600"),
    "text for a delay": (user('delay = "1"'), "user[0].delay: expected seconds, from 0 to 3600"),
    "unknown failure": (user('fail = "x"'), "user[0].fail: expected one of 'refuse', 'raise', not"),
    "method that is never offered": (
        'user = []\nmethods = ["password", "none"]',
        "users.toml: methods[1]: 'none' is never offered (RFC 4252, section 5.2)",
    ),
    "method twice": (
        'user = []\nmethods = ["password", "password"]',
        "users.toml: methods[1]: 'password' is there twice",
    ),
    "long method": (f'user = []\nmethods = ["{"x" * 65}"]', "methods[0]: expected the name of"),
    "comma in a method": (
        'user = []\nmethods = ["a,b"]',
        "methods[0]: expected the name of",
    ),
    "no name of a method": (
        'user = []\nmethods = ["é"]',
        "methods[0]: expected the name of",
    ),
    "empty method": (
        'user = []\nmethods = [""]',
        "methods[0]: expected a string that",
    ),
    "unknown algorithm": (
        'user = []\nalgorithms = ["rot13"]',
        "users.toml: algorithms[0]: expected one of ssh-ed25519, ",
    ),
    "algorithm twice": (
        'user = []\nalgorithms = ["ssh-rsa", "ssh-ed25519", "ssh-rsa"]',
        "users.toml: algorithms[2]: 'ssh-rsa' is there twice",
    ),
    "no algorithm": (
        "user = []\nalgorithms = []",
        "users.toml: algorithms: expected at least one algorithm",
    ),
    "long banner": (
        f'user = []\nbanner = "{LONG}"',
        "users.toml: banner: cannot be sent: string-too-long: ",
    ),
    "long prompt": (
        user(f'[[user.round]]\nprompt = [{{text = "{LONG}"}}]'),
        "users.toml: user[0].round[0]: cannot be sent: string-too-long: ",
    ),
    "long prompts": (
        user("[[user.round]]\nprompt = [" + f'{{text = "{LONG[1:]}"}},' * 4 + "]"),
        "users.toml: user[0].round[0]: cannot be sent: frame-too-long: ",
    ),
    "long demand for a new password": (
        user(f'password = "x"\nnew_password = "{LONG}"'),
        "users.toml: user[0].new_password: cannot be sent: string-too-long: ",
    ),
    "number for a banner": ("user = []\nbanner = 3", "users.toml: banner: expected a string"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_and_where(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(VectorError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith("users.toml: ")
    assert said in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(VectorError, match=r"^users\.toml: no TOML: "):
        read_configuration(path)
