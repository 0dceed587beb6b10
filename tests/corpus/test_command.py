"""The command `authplugin`, its help, and the subcommands of the corpus room itself."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from authplugin import PluginInit, PluginKIServerResponse, PluginProtocolAccept, encode
from authplugin_corpus.command import main

STREAM = encode(PluginInit(2, "host", 22, "")) + encode(PluginProtocolAccept())
SECRET = encode(PluginKIServerResponse(["s3cret"]))


def run(*arguments: str, data: bytes = b"") -> Result:
    return CliRunner().invoke(main, list(arguments), input=io.BytesIO(data))


# The group.


def run_alone(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from authplugin_corpus.command import main; main()", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_output_survives_where_letters_are_missing() -> None:
    code = r"import sys; sys.stderr.buffer.write('\u017cyczenie'.encode())"
    done = run_alone(
        *("check", "plugin", "--select", "plugin-success", "--"),
        *(sys.executable, "-I", "-S", "-c", code),
        PYTHONIOENCODING="cp1252:strict",
    )
    assert done.returncode == 1, done.stderr
    assert r"      \u017cyczenie" in done.stdout.splitlines()


def test_help_names_the_commands_and_what_they_do() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for line in (
        "check   Find out whether a program speaks the plugin protocol as it must.",
        "corpus  Look at the vectors",
        "decode  Show a byte stream as messages.",
    ):
        assert line in result.output


def test_help_imports_no_command() -> None:
    program = """
import json, sys
from authplugin_corpus.command import main
main(["--help"], standalone_mode=False)
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    heavy = {"atheris", "construct", "hypothesis", "rich"}
    assert loaded.isdisjoint(heavy | {"authplugin_corpus.check.command"})
    assert not any(name.startswith(("authplugin_fuzz.", "authplugin_prop")) for name in loaded)


def test_version() -> None:
    assert run("--version").output.startswith("authplugin, version ")


def test_an_unknown_command_is_named() -> None:
    result = run("no-such-command")
    assert result.exit_code == 2
    assert "no-such-command" in result.output


def install(folder: Path, source: str) -> None:
    """Install a distribution with a room called `annex` into a folder."""
    package = folder / "authplugin_annex"
    package.mkdir()
    (package / "command.py").write_text(source)
    info = folder / "elsewhere-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: elsewhere\nVersion: 1\nProvides-Extra: annex\n"
    )
    (info / "entry_points.txt").write_text(
        "[authplugin.commands]\nannex = authplugin_annex.command:annex\n"
    )


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("import no_such_module_anywhere\n", True),
        ("from . import no_such_module_anywhere\n", False),
        ("import authplugin_annex.no_such_module\n", False),
    ],
)
def test_a_room_that_cannot_be_imported_says_what_to_install(
    source: str, hint: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, f'{source}\ndef annex():\n    """Build on."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("authplugin_annex", "authplugin_annex.command"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    # A group of its own: that of the module has found its entry points already.
    group = type(main)(name="authplugin")
    helped = CliRunner().invoke(group, ["--help"])
    assert "annex   Build on." in helped.output
    result = CliRunner().invoke(group, ["annex"])
    assert result.exit_code == 1
    assert "the command 'annex' cannot be used: " in result.output
    assert "no_such_module" in result.output
    assert ("pip install 'elsewhere[annex]'" in result.output) is hint
    assert "Traceback" not in result.output


# decode


@pytest.mark.parametrize("how", ["file", "standard input", "hex", "hex file"])
def test_decode_shows_messages(how: str, tmp_path: Path) -> None:
    data = (STREAM.hex(" ", 4).replace(" ", "\n")).encode() if "hex" in how else STREAM
    path = tmp_path / "stream"
    path.write_bytes(data)
    arguments = ["--hex"] * ("hex" in how) + [str(path)] * ("file" in how)
    result = run("decode", *arguments, data=b"" if "file" in how else data)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "at byte 0: PLUGIN_INIT, 25 bytes"
    assert any(line.split()[-2:] == ["port", "22"] for line in lines)
    assert "at byte 25: PLUGIN_PROTOCOL_ACCEPT, 5 bytes" in lines


def test_decode_keeps_secrets_unless_asked() -> None:
    assert "s3cret" not in run("decode", data=SECRET).output
    assert b"s3".hex(" ") not in run("decode", data=SECRET).output
    assert "s3cret" in run("decode", "--secrets", data=SECRET).output


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\0\0\0\x02\x04\0", "wrong: trailing-bytes"),
        (b"\0\0\0\x01\x63", "wrong: unknown-type"),
        (b"\xff\xff\xff\xff\x01", "wrong: frame-too-long"),
        (b"\0\0\0\0", "wrong: frame-empty"),
        (b"\0\0\0\x05\x04", "wrong: end-truncated"),
        (b"\0\0", "wrong: end-truncated"),
    ],
)
def test_decode_says_what_is_wrong_behind_what_is_right(data: bytes, text: str) -> None:
    result = run("decode", data=STREAM + data)
    assert result.exit_code == 1
    assert f"at byte {len(STREAM)}: " in result.output
    assert text in result.output


def test_decode_goes_on_behind_a_bad_message() -> None:
    result = run("decode", data=b"\0\0\0\x01\x63" + STREAM)
    assert result.exit_code == 1
    assert "at byte 5: PLUGIN_INIT" in result.output


def test_decode_of_nothing_is_nothing() -> None:
    result = run("decode")
    assert (result.exit_code, result.output) == (0, "")


def test_decode_takes_a_stream_of_any_length() -> None:
    result = run("decode", data=encode(PluginProtocolAccept()) * 30_000)
    assert result.exit_code == 0
    assert "at byte 149995: PLUGIN_PROTOCOL_ACCEPT" in result.output


@pytest.mark.parametrize("data", [b"0", b"zz", b"\xff"])
def test_decode_refuses_what_is_not_hexadecimal(data: bytes) -> None:
    result = run("decode", "--hex", data=data)
    assert result.exit_code == 1
    assert "not pairs of hexadecimal digits" in result.output


def test_decode_of_a_file_that_is_not_there() -> None:
    result = run("decode", "no-such-file")
    assert result.exit_code == 2
    assert "no-such-file" in result.output
