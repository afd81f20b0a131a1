"""The command without a subcommand: version, configuration, and what its help says at the end."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from tessera_client.commands.settings import Settings
from tessera_client.config import KEY, VARIABLE, ConfigError, defaults, load
from tessera_client.exit_codes import ExitCode

_EPILOG = "\n\n".join(
    [
        "An option is taken from the command line, else from the environment, else from the configuration "
        "file (~/.config/tessera/config.toml), else it has its default. A variable is named after command "
        "and option, such as TESSERA_RUN_FORMAT; TESSERA_API_URL and TESSERA_API_KEY hold for all commands.",
        "Exit codes: " + "; ".join(f"{code.value} {code.meaning}" for code in ExitCode) + ".",
        "`tessera COMMAND --help` shows examples. `tessera --install-completion` sets up the shell.",
    ]
)

app = typer.Typer(
    name="tessera",
    help="Process images of any size, byte for byte as OpenCV does, on a Tessera service or on this machine.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TESSERA"},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"tessera {version('tessera')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            envvar=VARIABLE,
            help="Another configuration file.",
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            allow_from_autoenv=False,
            callback=_print_version,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Read the configuration file before any command."""
    try:
        found = load(config)
        context.default_map = defaults(found, _options(context))
    except ConfigError as error:
        print(f"tessera: {error}", file=sys.stderr)
        raise typer.Exit(ExitCode.USAGE) from None
    context.obj = Settings(api_key=found.get(KEY), config=config)


def examples(*lines: str) -> str:
    """Return what a command's help ends with."""
    title = "Example" if len(lines) == 1 else "Examples"
    # A bracket would begin a style.
    return "\n\n".join([f"{title}:", *(line.replace("[", r"\[") for line in lines)])


def settings(
    context: typer.Context, api: str | None = None, json: bool = False, quiet: bool = False
) -> Settings:
    """Gather what every command is told."""
    configured: Settings = context.obj
    return replace(configured, api=api, json=json, quiet=quiet)


def _options(context: typer.Context) -> dict[str, set[str]]:
    commands: Mapping[str, Any] = getattr(context.command, "commands", {})
    return {name: {each.name for each in command.params} for name, command in commands.items()}
