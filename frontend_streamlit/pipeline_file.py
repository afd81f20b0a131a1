"""Operations from elsewhere: a preset, a file, another job. And out of here: files and commands."""

import json
import re
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
import yaml

from frontend_streamlit import access, draft
from frontend_streamlit.words import plain, show_error, title
from tessera_client import InvalidPipeline, Output, Step, TesseraClientError, load_pipeline
from tessera_client.commands.schema import written

LARGEST_FILE = 1 << 20
_JOB = re.compile(r"[0-9A-Za-z-]+(?=\W*$)")


def show_sources() -> None:
    """Show where operations can be taken from."""
    with st.expander("Presets, files, other jobs", icon=":material/input:"):
        _preset()
        _file()
        _job()
        failure = st.session_state.pop("source_failure", None)
        if failure is not None:
            show_error(failure)


def show_exports(steps: Sequence[Step], output: Output, image: str, page: int = 0) -> None:
    """Show the pipeline as files to keep, and as commands that do the same.

    Parameters
    ----------
    steps : sequence of Step
    output : Output
    image : str
        File name to write in the commands.
    page : int
        Of the file, from 0.
    """
    with st.expander("Save these operations, or run them from a terminal", icon=":material/terminal:"):
        with st.container(horizontal=True):
            st.download_button("YAML", as_yaml(steps), "pipeline.yaml", "application/yaml", on_click="ignore")
            st.download_button("JSON", as_json(steps), "pipeline.json", "application/json", on_click="ignore")
        st.markdown("With the `tessera` command:")
        st.code(as_command(steps, output, image, page), "sh", wrap_lines=True)
        st.markdown("With `curl`:")
        st.code(as_curl(steps, output, image, page), "sh", wrap_lines=True)


def as_yaml(steps: Sequence[Step]) -> str:
    """Write operations as a file that `load_pipeline` reads."""
    return str(yaml.safe_dump(_plain(steps), sort_keys=False, default_flow_style=None))


def as_json(steps: Sequence[Step]) -> str:
    """Write operations as a file that `load_pipeline` reads and the API takes."""
    return json.dumps(_plain(steps), indent=2)


def as_command(steps: Sequence[Step], output: Output, image: str, page: int = 0) -> str:
    """Write the ``tessera`` command that does the same."""
    words = ["tessera", "run", image]
    for step in steps:
        words += ["--op", written(step.operation, step.parameters)]
    words += ["--page", str(page)] if page else []
    words += ["--format", output.format]
    for name, value in output.document().items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif name != "format" and value is not False:
            words += [option, str(value)]
    return shlex.join(words)


def as_curl(steps: Sequence[Step], output: Output, image: str, page: int = 0) -> str:
    """Write the ``curl`` commands that do the same: a place, the file, the job."""
    place = json.dumps({"name": image})
    chosen = {"page": page} if page else {}
    body = json.dumps({**chosen, "pipeline": _plain(steps), "output": output.document()})
    return "\n".join(
        [
            f'curl -fsS "$API/uploads" --json {shlex.quote(place)} > place.json',
            "curl -fsS -X PUT -H 'x-ms-blob-type: BlockBlob' "
            f'--upload-file {shlex.quote(image)} "$(jq -r .url place.json)"',
            f"jq --argjson job {shlex.quote(body)} '$job + {{upload_id: .id}}' place.json |",
            '  curl -fsS "$API/jobs" --json @-',
        ]
    )


def read(text: str) -> tuple[Step, ...]:
    """Read operations that are written as YAML or JSON.

    Raises
    ------
    InvalidPipeline
        When they aren't.
    """
    with tempfile.TemporaryDirectory(prefix="tessera-page-") as folder:
        path = Path(folder) / "pipeline"
        path.write_text(text, encoding="utf-8")
        try:
            return load_pipeline(path)
        except InvalidPipeline as invalid:
            raise InvalidPipeline(str(invalid).replace(str(path), "the file"), invalid.hint) from None


def _plain(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [{"operation": step.operation, "parameters": dict(step.parameters)} for step in steps]


def _preset() -> None:
    try:
        presets = access.presets()
    except TesseraClientError as error:
        show_error(error)
        return

    def use() -> None:
        name = st.session_state["preset"]
        if name:
            draft.begin_with(presets[name].pipeline)
            st.session_state["preset"] = None

    st.selectbox(
        "Preset",
        list(presets),
        index=None,
        format_func=lambda name: f"{title(name)}: {presets[name].summary}".rstrip(": "),
        placeholder="Choose a ready-made list of operations",
        key="preset",
        on_change=use,
    )


def _file() -> None:
    number = st.session_state.setdefault("pipeline_round", 0)
    file = st.file_uploader("Saved operations", type=["yaml", "yml", "json"], key=f"pipeline_{number}")
    if file is None:
        return
    st.session_state["pipeline_round"] = number + 1
    try:
        if file.size > LARGEST_FILE:
            raise InvalidPipeline("the file is too large to be a list of operations")
        draft.begin_with(read(file.read().decode("utf-8", errors="replace")))
    except InvalidPipeline as invalid:
        st.session_state["source_failure"] = invalid
    st.rerun()


def _job() -> None:
    def use() -> None:
        found = _JOB.search(st.session_state["job_to_copy"])
        if found is None:
            return
        try:
            job = access.client().job(found[0])
        except TesseraClientError as error:
            st.session_state["source_failure"] = error
            return
        draft.begin_with(job.pipeline, job.output)
        st.session_state["job_to_copy"] = ""

    st.text_input(
        "Paste from a job",
        key="job_to_copy",
        on_change=use,
        placeholder="Its address or its number",
        help=plain("Takes the operations and the file format of a job that is still kept."),
    )
