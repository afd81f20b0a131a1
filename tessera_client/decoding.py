"""From the API's JSON to dataclasses."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from tessera_client.errors import UnexpectedResponse

_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def decode[T](kind: type[T], document: object) -> T:
    """Make a dataclass of JSON; an unknown field is ignored, a null takes the field's default.

    Parameters
    ----------
    kind : type
        One of the dataclasses of `tessera_client.models`.
    document : object
        Decoded JSON.

    Returns
    -------
    object
        Of type ``kind``.

    Raises
    ------
    UnexpectedResponse
        When a required field is missing or a value has another type.
    """
    known = {k: v for k, v in document.items() if v is not None} if isinstance(document, dict) else document
    try:
        value: T = _adapter(kind).validate_python(known)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise UnexpectedResponse(
            f"the API's answer is not a valid {kind.__name__.lower()}: {place}: {first['msg']}",
            "Client and API may be of different versions.",
        ) from None
    return value


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
