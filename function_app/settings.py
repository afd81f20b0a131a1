"""Every setting of the service, read once from the environment.

A limit of `tessera.planner.Limits` is overridden by its name in capitals after ``TESSERA_``, for example
``TESSERA_MAX_BYTES``.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Json,
    JsonValue,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from tessera.planner import Limits
from tessera.prices import Prices, override

APPLICATION_INSIGHTS = "InstrumentationKey="
"""How a connection string of Application Insights begins."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST_URL_SECONDS = 24 * 60 * 60


class SettingsError(Exception):
    """A setting is missing or can't be used; the message names its variable and says what to do."""


class Settings(BaseModel):
    """What an installation may choose.

    Storage is an account URL, opened with the app's managed identity, or a connection string with an account
    key. Build it with `read_settings`; each member's alias is the variable it comes from.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    account_url: str | None = Field(None, alias="TESSERA_STORAGE_ACCOUNT_URL")
    client_id: str | None = Field(None, alias="AZURE_CLIENT_ID")
    own_storage: SecretStr | None = Field(None, alias="TESSERA_STORAGE")
    host_storage: SecretStr | None = Field(None, alias="AzureWebJobsStorage")
    limits: Limits = Limits()
    upload_url_seconds: int = Field(3600, ge=60, le=_LONGEST_URL_SECONDS, alias="TESSERA_UPLOAD_URL_SECONDS")
    result_url_seconds: int = Field(3600, ge=60, le=_LONGEST_URL_SECONDS, alias="TESSERA_RESULT_URL_SECONDS")
    retry_interval_ms: int = Field(1000, ge=1, le=600_000, alias="TESSERA_RETRY_INTERVAL_MS")
    retry_attempts: int = Field(3, ge=1, le=10, alias="TESSERA_RETRY_ATTEMPTS")
    retention_days: int = Field(7, ge=1, le=365, alias="TESSERA_RETENTION_DAYS")
    upload_hours: int = Field(24, ge=1, le=720, alias="TESSERA_UPLOAD_HOURS")
    max_running_jobs: int = Field(200, ge=1, le=10_000, alias="TESSERA_MAX_RUNNING_JOBS")
    max_pixels_per_day: int = Field(1 << 40, ge=1, alias="TESSERA_MAX_PIXELS_PER_DAY")
    max_instances: int = Field(100, ge=1, le=1000, alias="TESSERA_MAX_INSTANCES")
    instance_memory_mb: int = Field(2048, ge=512, le=65536, alias="TESSERA_INSTANCE_MEMORY_MB")
    price_overrides: Json[dict[str, JsonValue]] = Field({}, alias="TESSERA_PRICES")
    webhook_interval_ms: int = Field(15_000, ge=1, le=600_000, alias="TESSERA_WEBHOOK_INTERVAL_MS")
    webhook_attempts: int = Field(6, ge=1, le=20, alias="TESSERA_WEBHOOK_ATTEMPTS")
    history_days: int = Field(7, ge=1, le=365, alias="TESSERA_HISTORY_DAYS")
    traces: SecretStr | None = Field(None, alias="TESSERA_TRACES")

    @property
    def connection_string(self) -> str | None:
        """Return the connection string to use, or None where the account URL is set."""
        storage = self.own_storage or self.host_storage
        return storage.get_secret_value() if storage and not self.account_url else None

    @property
    def prices(self) -> Prices:
        """Return the price table, with what the installation sets of it."""
        return override(self.price_overrides)

    @property
    def instance_gigabytes(self) -> float:
        """Return the memory of an instance in GB."""
        return self.instance_memory_mb / 1024

    @property
    def upload_url_lifetime(self) -> timedelta:
        """Return how long an upload URL is valid."""
        return timedelta(seconds=self.upload_url_seconds)

    @property
    def result_url_lifetime(self) -> timedelta:
        """Return how long a download URL is valid."""
        return timedelta(seconds=self.result_url_seconds)

    @field_validator("account_url")
    @classmethod
    def _https(cls, url: str | None) -> str | None:
        if url is not None and not is_safe_endpoint(url):
            raise ValueError("must be an address such as https://<account>.blob.core.windows.net")
        return url

    @field_validator("price_overrides")
    @classmethod
    def _known_prices(cls, overrides: dict[str, JsonValue]) -> dict[str, JsonValue]:
        override(overrides)
        return overrides

    @model_validator(mode="after")
    def _some_storage(self) -> Self:
        if not (self.account_url or self.connection_string):
            raise ValueError(
                "no storage is set: set TESSERA_STORAGE_ACCOUNT_URL (managed identity), "
                "TESSERA_STORAGE or AzureWebJobsStorage (connection string)"
            )
        return self

    @model_validator(mode="after")
    def _traces_go_somewhere(self) -> Self:
        traces = self.traces.get_secret_value() if self.traces else APPLICATION_INSIGHTS
        if not (traces.startswith(APPLICATION_INSIGHTS) or is_safe_endpoint(traces)):
            raise ValueError(
                "TESSERA_TRACES must be the address of an OTLP receiver, such as "
                "https://collector.example.org/v1/traces, or a connection string of Application Insights"
            )
        return self


def is_safe_endpoint(url: str) -> bool:
    """Tell whether *url* is https, or http on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "http":
        return parts.hostname in _LOOPBACK
    return parts.scheme == "https" and bool(parts.hostname)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that *environment* holds; a variable that is empty counts as not set.

    Raises
    ------
    SettingsError
        If no storage is set, or a variable doesn't parse or is out of range.
    """
    given = {name: value for name, value in environment.items() if value.strip()}
    limits = {
        field: given[variable] for field in Limits.model_fields if (variable := _variable(field)) in given
    }
    try:
        return Settings.model_validate({**given, "limits": limits})
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def _variable(limit: str) -> str:
    return f"TESSERA_{limit.upper()}"


def _explain(error: ValidationError) -> str:
    """Return one line per setting; values are shown only where they are no secret."""
    return "; ".join(_explain_one(item["loc"], item["msg"], item["input"]) for item in error.errors())


def _explain_one(location: tuple[int | str, ...], message: str, value: Any) -> str:
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    variable = _variable(str(location[1])) if location[0] == "limits" else str(location[0])
    return f"{variable}: {message} (it is {value!r})"
