"""Stand-ins for the protobuf classes that the worker runtime asks for through ``properties["protos"]``.

The runtime only builds them with keyword arguments, reads attributes and asks ``WhichOneof``; so plain Python
objects with the same attributes do, and no protobuf library is needed.
"""

from types import SimpleNamespace
from typing import Any, ClassVar


class OneOf:
    """A message of which at most one field is set, like TypedData.

    Args:
        **field: Nothing, or one field name with its value.
    """

    def __init__(self, **field: Any) -> None:
        self.kind: str | None = None
        for name, value in field.items():
            self.kind = name
            setattr(self, name, value)

    def WhichOneof(self, _group: str) -> str | None:
        """Give the name of the set field.

        Returns:
            The field's name, or None when no field is set.
        """
        return self.kind


class TypedData(OneOf):
    """A value: string, json, bytes, http, int, double or nothing."""


class ParameterBinding:
    """A named value of a function parameter."""

    def __init__(self, name: str = "", data: TypedData | None = None) -> None:
        self.name = name
        self.data = data if data is not None else TypedData()

    def WhichOneof(self, _group: str) -> str:
        """Give the name of the set field, which is always ``data`` here.

        Returns:
            ``"data"``.
        """
        return "data"


class StatusResult(SimpleNamespace):
    """Outcome of a request; ``status`` is one of the class attributes."""

    Failure = 0
    Success = 1


class BindingInfo(SimpleNamespace):
    """Type, data type and direction of a binding, numbered as in the Functions protocol."""

    out = 1
    inout = 2
    undefined = 0


class RpcHttpCookie(SimpleNamespace):
    """A cookie to set, with nullable attributes."""

    SameSite: ClassVar[SimpleNamespace] = SimpleNamespace(
        **{"None": None, "Lax": "Lax", "Strict": "Strict", "ExplicitNone": "None"}
    )


class Message(SimpleNamespace):
    """Any message that is only a bag of fields."""


RpcHttp = RpcException = RpcFunctionMetadata = RpcRetryOptions = WorkerMetadata = Message
WorkerInitResponse = FunctionMetadataResponse = FunctionLoadResponse = InvocationResponse = Message
NullableString = NullableBool = NullableDouble = NullableTimestamp = Timestamp = Message
