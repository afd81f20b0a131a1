"""Route templates of http triggers: ``items/{id:int}/{part?}``, ``files/{*path}``."""

import re
from dataclasses import dataclass

from emulator.errors import ConfigurationError, UnsupportedFeatureError

_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)((?::[^{}:=?]+)*)(=[^{}?]*)?(\?)?\}")
# The constraints of ASP.NET routing that make sense without a type system; each must match the whole value.
_CONSTRAINTS = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "bool": r"(?i:true|false)",
    "guid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "alpha": r"[A-Za-z]+",
    "decimal": r"-?\d+(?:\.\d+)?",
    "double": r"-?\d+(?:\.\d+)?",
    "float": r"-?\d+(?:\.\d+)?",
    "required": r".+",
}
_LENGTHS = re.compile(r"(length|minlength|maxlength)\((\d+)(?:,(\d+))?\)")


@dataclass(frozen=True)
class Route:
    """A template as a regular expression, with the defaults of its optional parameters.

    ``order`` sorts routes so that the more specific comes first: literal segments before parameters,
    catch-alls last.
    """

    template: str
    pattern: re.Pattern[str]
    defaults: dict[str, str]
    order: tuple[int, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Match a decoded path.

        Parameters
        ----------
        path
            The path without a slash at either end.

        Returns
        -------
        dict or None
            Values of the route parameters; optional ones that are missing are left out. None when the path
            doesn't match.
        """
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        return {**self.defaults, **{name: value for name, value in found.groupdict().items() if value}}


def compile_route(template: str, function: str) -> Route:
    """Compile a route template.

    Parameters
    ----------
    template
        The template with its prefix.
    function
        The function it belongs to, for messages.

    Returns
    -------
    Route
        The compiled route.

    Raises
    ------
    ConfigurationError
        When the template is malformed.
    UnsupportedFeatureError
        When it uses a constraint that isn't emulated.
    """
    defaults: dict[str, str] = {}
    parts: list[str] = []
    order: list[int] = []
    for segment in filter(None, template.strip("/").split("/")):
        expression, optional, rank = _segment(segment, function, defaults)
        slash = "/" if parts else ""
        parts.append(f"(?:{slash}{expression})?" if optional else f"{slash}{expression}")
        order.append(rank)
    return Route(template, re.compile("".join(parts), re.IGNORECASE | re.DOTALL), defaults, tuple(order))


def _segment(segment: str, function: str, defaults: dict[str, str]) -> tuple[str, bool, int]:
    """Give a segment's expression, whether it may be missing, and its rank."""
    expression, position, optional, rank = "", 0, False, 0
    for found in _PARAMETER.finditer(segment):
        expression += re.escape(segment[position : found.start()])
        position = found.end()
        star, name, constraints, default, question = found.groups()
        whole = found.group() == segment
        if default:
            defaults[name] = default[1:]
        optional = whole and bool(star or default or question)
        value = ".*" if star else _value(constraints, function)
        rank = 3 if star else 1 if constraints or not whole else 2
        expression += f"(?P<{name}>{value})"
    rest = segment[position:]
    if "{" in rest or "}" in rest:
        raise ConfigurationError(f"function '{function}': the route segment '{segment}' is malformed")
    return expression + re.escape(rest), optional, rank


def _value(constraints: str, function: str) -> str:
    expression = "[^/]+"
    for constraint in filter(None, constraints.split(":")):
        lengths = _LENGTHS.fullmatch(constraint)
        if constraint.startswith("regex(") and constraint.endswith(")"):
            expression = f"(?=(?:{constraint[6:-1]})(?:/|$)){expression}"
        elif lengths:
            kind, first, second = lengths.groups()
            low = "0" if kind == "maxlength" else first
            high = first if kind == "maxlength" else second or ("" if kind == "minlength" else first)
            expression = f"(?=[^/]{{{low},{high}}}(?:/|$)){expression}"
        elif constraint in _CONSTRAINTS:
            expression = f"(?=(?:{_CONSTRAINTS[constraint]})(?:/|$)){expression}"
        else:
            raise UnsupportedFeatureError(
                f"function '{function}': the route constraint '{constraint}' isn't emulated; use one of "
                f"{', '.join(_CONSTRAINTS)}, length(n), minlength(n), maxlength(n), "
                f"or check the value in the function"
            )
    return expression
