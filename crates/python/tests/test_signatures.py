"""The contract's declarations: models, factories, errors and the cache are what it says, or take more."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from collections.abc import Callable
from typing import Any

import pytest

from pyrocketmq import nameserver

from .contract import PAGE, block


def declared(number: int, ending: str = "") -> dict[str, Any]:
    """The names that a block declares."""
    names: dict[str, Any] = {"__name__": "contract", "dataclass": dataclasses.dataclass}
    names |= {name: getattr(typing, name) for name in ("Dict", "List", "Optional")}
    names |= {name: getattr(nameserver, name) for name in nameserver.__all__}
    before = dict(names)
    exec(compile(block(number).rstrip() + ending, str(PAGE), "exec", dont_inherit=True), names)
    names.pop("__builtins__")
    return {name: value for name, value in names.items() if before.get(name) is not value}


def plain(hint: Any) -> object:
    """A type, spelled in one way: `Dict[int, str]` and `dict[int, str]` are one."""
    return typing.get_origin(hint) or hint, [plain(argument) for argument in typing.get_args(hint)]


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_models_have_the_declared_fields_first(number: int) -> None:
    ((name, contract),) = declared(number).items()
    model = getattr(nameserver, name)
    fields, expected = dataclasses.fields(model), dataclasses.fields(contract)
    hints, expected_hints = typing.get_type_hints(model), typing.get_type_hints(contract)
    for field, wanted in zip(fields, expected, strict=False):
        assert field.name == wanted.name
        assert plain(hints[field.name]) == plain(expected_hints[field.name])
        if wanted.default is not dataclasses.MISSING:
            assert field.default == wanted.default
    # What newer servers send stands behind, and nobody has to pass it.
    for field in fields[len(expected) :]:
        assert field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING

    values = [object() for _ in expected]
    made = model(*values)
    assert [getattr(made, field.name) for field in expected] == values
    for field in expected:
        setattr(made, field.name, None)


@pytest.mark.parametrize("number", [10, 11])
def test_factories_take_and_return_what_is_declared(number: int) -> None:
    ((name, contract),) = declared(number, ": ...").items()
    factory = getattr(nameserver, name)
    assert inspect.iscoroutinefunction(factory) == inspect.iscoroutinefunction(contract)
    check_parameters(factory, contract)
    hints = [inspect.signature(function, eval_str=True) for function in (factory, contract)]
    assert hints[0].return_annotation is hints[1].return_annotation
    assert [hints[0].parameters[name].annotation for name in hints[1].parameters] == [str, int, float]


def check_parameters(function: Callable[..., Any], contract: Callable[..., Any]) -> None:
    """The declared parameters come first, with the declared defaults; nobody has to pass more."""
    parameters = list(inspect.signature(function).parameters.values())
    expected = list(inspect.signature(contract).parameters.values())
    for parameter, wanted in zip(parameters, expected, strict=False):
        assert (parameter.name, parameter.kind) == (wanted.name, wanted.kind)
        if wanted.default is not inspect.Parameter.empty:
            assert parameter.default == wanted.default
    assert len(parameters) >= len(expected)
    for parameter in parameters[len(expected) :]:
        assert parameter.default is not inspect.Parameter.empty


def test_the_cache_has_the_declared_methods() -> None:
    ((name, contract),) = declared(18).items()
    cache = getattr(nameserver, name)
    for method in ("__init__", "get_route", "refresh_route"):
        check_parameters(getattr(cache, method), getattr(contract, method))
    route, missing = typing.get_args(typing.get_type_hints(cache.get_route)["return"])
    assert issubclass(route, nameserver.TopicRouteData)
    assert missing is type(None)


def test_every_error_of_the_tree_is_there_and_stands_under_the_first() -> None:
    root, *leaves = re.findall(r"NameServer\w+", block(9))
    assert len(leaves) == 5
    for name in leaves:
        assert getattr(nameserver, name).__bases__[0] is getattr(nameserver, root)
    assert issubclass(getattr(nameserver, root), Exception)
