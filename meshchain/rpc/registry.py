"""The method table: dispatch, parameter checks, ``help`` and OpenRPC all read it, so they cannot disagree.

A handler is a function ``(call, **parameters) -> result``, plain or async. Plain handlers run in the server's
loop and must return at once; those declared ``scan=True`` may take long and run in a thread.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from meshchain.ledger.chain.view import ChainView
from meshchain.rpc import errors
from meshchain.rpc.api import NodeApi
from meshchain.rpc.errors import RpcError
from meshchain.rpc.json_text import Json
from meshchain.rpc.schema import Schema, SchemaError, check, check_schema

Access: TypeAlias = Literal["open", "cookie"]
Handler: TypeAlias = Callable[..., Json | Awaitable[Json]]
Arguments: TypeAlias = Mapping[str, Json]

REQUIRED: Final = object()
"""Marks a parameter without default."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter; ``None`` passed for one that has a default means the default."""

    name: str
    schema: Schema
    description: str
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Example:
    """A call that works on any node whose ledger has the name ``alice``; ``fails`` is the data.code it shows."""

    summary: str
    params: Sequence[Json]
    result: Json = None
    fails: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    name: str
    area: str
    summary: str
    description: str
    params: Sequence[Param]
    result: Schema
    result_name: str
    handler: Handler
    access: Access
    synced: bool
    """Refused while the node is not synced, so that it never answers with stale names."""
    scan: bool
    errors: Sequence[int]
    examples: Sequence[Example]

    def bind(self, given: Json) -> dict[str, Json]:
        """Positional or named parameters → all arguments by name, checked; RpcError −32602 otherwise."""
        arguments = self._by_name(given)
        for param in self.params:
            if arguments.get(param.name) is None and not param.required:
                arguments[param.name] = param.default
            elif param.name not in arguments:
                raise self._misfit(param.name, "is missing")
            else:
                self._check(param, arguments[param.name])
        return arguments

    def _by_name(self, given: Json) -> dict[str, Json]:
        if isinstance(given, Mapping):
            names = {param.name for param in self.params}
            for name in given:
                if name not in names:
                    raise self._misfit(name, "is not known here")
            return dict(given)
        positional = given if isinstance(given, Sequence) else ()
        if len(positional) > len(self.params):
            count = f"{len(positional)} value{'s' if len(positional) > 1 else ''}"
            raise self._misfit("params", f"has {count}, at most {len(self.params)} are taken")
        return {param.name: value for param, value in zip(self.params, positional, strict=False)}

    def _check(self, param: Param, value: Json) -> None:
        try:
            check(value, param.schema, param.name)
        except SchemaError as error:
            raise self._misfit(error.path, error.problem) from None

    def _misfit(self, where: str, problem: str) -> RpcError:
        message = f"{self.name}: {where} {problem}; see `help {self.name}`"
        return RpcError(errors.INVALID_PARAMS, "bad-params", message, param=where, problem=problem)


@dataclass(slots=True)
class Call:
    """What one call may use. The view is taken once, so a call sees one tip throughout."""

    node: NodeApi
    table: "MethodTable"
    stopping: Callable[[], bool] = lambda: False
    """True once the server wants long scans to end."""
    late: Callable[[], bool] = lambda: False
    """True once this call has taken longer than a scan may."""
    running: dict[str, "asyncio.Future[object]"] = field(default_factory=dict)
    """Long work of this server that several callers may wait for, by name."""
    _view: ChainView | None = field(default=None, init=False)

    @property
    def view(self) -> ChainView:
        if self._view is None:
            self._view = self.node.view()
        return self._view

    def breathe(self) -> None:
        """Scans ask this between names: RpcError −1 (stopping, scan-too-long) when they have to end."""
        if self.stopping():
            raise RpcError(errors.LOCAL_FAULT, "stopping", "the node is stopping")
        if self.late():
            raise RpcError(errors.LOCAL_FAULT, "scan-too-long", "gave up: this takes too long; ask for less at once")

    def require_sync(self, what: str) -> None:
        """RpcError −28 with how far, unless the node is synced."""
        status = self.node.sync()
        if not status.synced:
            target = "?" if status.target is None else status.target
            message = f"{what}: the node is syncing: height {status.height} of {target}; {status.message}"
            raise RpcError(errors.SYNCING, "syncing", message, height=status.height, target=status.target)


class MethodTable:
    """Methods by name, in the order they were added."""

    def __init__(self, methods: Iterable[Method] = ()) -> None:
        self._methods: dict[str, Method] = {}
        for method in methods:
            self.add(method)

    def add(self, method: Method) -> None:
        """ValueError for a second method of the name and for schemas that nothing would check."""
        if method.name in self._methods:
            raise ValueError(f"two methods are called {method.name}")
        for schema in (method.result, *(param.schema for param in method.params)):
            check_schema(schema)
        self._methods[method.name] = method

    def get(self, name: str) -> Method | None:
        return self._methods.get(name)

    def __iter__(self) -> Iterator[Method]:
        return iter(self._methods.values())

    def __len__(self) -> int:
        return len(self._methods)


class Area:
    """Collects the methods of one module: ``@area.method("name", …)`` above each handler."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.methods: list[Method] = []

    def method(
        self,
        name: str,
        *,
        params: Sequence[Param] = (),
        result: Schema,
        result_name: str = "result",
        access: Access = "open",
        synced: bool = False,
        scan: bool = False,
        fails: Sequence[int] = (),
        examples: Sequence[Example] = (),
    ) -> Callable[[Handler], Handler]:
        """Register the handler below; its docstring gives the summary (first line) and the description."""

        def register(handler: Handler) -> Handler:
            summary, _, description = (handler.__doc__ or "").strip().partition("\n")
            self.methods.append(
                Method(
                    name=name,
                    area=self.name,
                    summary=summary,
                    description=" ".join(description.split()),
                    params=params,
                    result=result,
                    result_name=result_name,
                    handler=handler,
                    access=access,
                    synced=synced,
                    scan=scan,
                    errors=_possible(fails, access=access, synced=synced, scan=scan),
                    examples=examples,
                )
            )
            return handler

        return register


def _possible(fails: Sequence[int], *, access: Access, synced: bool, scan: bool) -> list[int]:
    """The codes a method may answer, those that follow from its declaration included."""
    implied = [errors.INVALID_PARAMS]
    implied += [errors.SYNCING] if synced else []
    implied += [errors.LOCAL_FAULT] if scan else []
    implied += [errors.COOKIE_REQUIRED] if access == "cookie" else []
    return sorted({*fails, *implied})
