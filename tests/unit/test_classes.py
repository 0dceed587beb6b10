"""What all data classes of the codec have in common."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

import authplugin
from authplugin.reading import FrameReader
from authplugin.table import WireMessage
from authplugin.userauth import Round, SSHUserAuthRequest
from authplugin.userauth.account import Account

# What is filled in as it goes on. Everything else is a value, and stays what it is.
CHANGEABLE = (WireMessage, FrameReader, SSHUserAuthRequest, Round, Account)


def data_classes() -> Iterator[type[Any]]:
    for found in pkgutil.walk_packages(authplugin.__path__, "authplugin."):
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if isinstance(value, type) and is_dataclass(value) and value.__module__ == found.name:
                yield value


EVERY = list(data_classes())


def test_there_are_data_classes() -> None:
    assert {authplugin.Limits, authplugin.EndOfFile, authplugin.PluginInit, FrameReader} <= {*EVERY}


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__qualname__)
def test_a_data_class_has_its_fields_and_no_more(kind: type[Any]) -> None:
    made = object.__new__(kind)
    assert not hasattr(made, "__dict__")
    for field in fields(kind):
        assert any(field.name in vars(base).get("__slots__", ()) for base in kind.__mro__)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__qualname__)
def test_a_value_cannot_be_changed(kind: type[Any]) -> None:
    made = object.__new__(kind)
    assert kind.__dataclass_params__.frozen != issubclass(kind, CHANGEABLE)
    for field in fields(kind):
        if issubclass(kind, CHANGEABLE):
            setattr(made, field.name, "anything")
            assert getattr(made, field.name) == "anything"
        else:
            with pytest.raises(AttributeError, match=f"cannot assign to field '{field.name}'"):
                setattr(made, field.name, "anything")
