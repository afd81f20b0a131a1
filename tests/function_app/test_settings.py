from datetime import timedelta

import pytest

from function_app.services import build
from function_app.settings import SettingsError, read_settings
from tessera.planner import Limits

AZURITE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
KEY = "c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudA=="


def test_defaults_are_those_of_the_planner() -> None:
    settings = read_settings(AZURITE)
    assert settings.limits == Limits()
    assert settings.upload_url_lifetime == timedelta(hours=1)
    assert (settings.retry_interval_ms, settings.retry_attempts) == (1000, 3)


@pytest.mark.parametrize("field", list(Limits.model_fields))
def test_every_limit_has_a_variable(field: str) -> None:
    settings = read_settings({**AZURITE, f"TESSERA_{field.upper()}": "77"})
    assert getattr(settings.limits, field) == 77


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read_settings({**AZURITE, "TESSERA_MAX_BYTES": " ", "TESSERA_STORAGE": ""}) == read_settings(
        AZURITE
    )


def test_own_storage_goes_before_that_of_the_host() -> None:
    other = f"AccountName=other;AccountKey={KEY};EndpointSuffix=core.windows.net"
    client = build(read_settings({**AZURITE, "TESSERA_STORAGE": other})).signer._client
    assert client.url == "https://other.blob.core.windows.net/"


def test_an_account_url_is_opened_with_the_identity() -> None:
    url = "https://account.blob.core.windows.net"
    settings = read_settings({**AZURITE, "TESSERA_STORAGE_ACCOUNT_URL": url, "AZURE_CLIENT_ID": "an-id"})
    assert settings.connection_string is None
    signer = build(settings).signer
    assert signer._account_key is None
    assert type(signer._client.credential).__name__ == "ManagedIdentityCredential"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("TESSERA_MAX_BYTES", "2GB", "TESSERA_MAX_BYTES: .*integer.*'2GB'"),
        ("TESSERA_BAND_ROWS", "0", "TESSERA_BAND_ROWS: .*greater than or equal to 1"),
        ("TESSERA_RETRY_ATTEMPTS", "0", "TESSERA_RETRY_ATTEMPTS: .*greater than or equal to 1"),
        ("TESSERA_RETRY_INTERVAL_MS", "-5", "TESSERA_RETRY_INTERVAL_MS"),
        ("TESSERA_RESULT_URL_SECONDS", "90000", "TESSERA_RESULT_URL_SECONDS: .*less than or equal to 86400"),
        (
            "TESSERA_STORAGE_ACCOUNT_URL",
            "http://account.blob.core.windows.net",
            "must be an address such as https",
        ),
        ("TESSERA_STORAGE_ACCOUNT_URL", "account", "TESSERA_STORAGE_ACCOUNT_URL"),
    ],
)
def test_a_value_that_cant_be_used_is_refused_by_name(variable: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_settings({**AZURITE, variable: value})


def test_all_wrong_settings_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        read_settings({**AZURITE, "TESSERA_MAX_BYTES": "x", "TESSERA_RETRY_ATTEMPTS": "y"})
    assert "TESSERA_MAX_BYTES" in str(error.value)
    assert "TESSERA_RETRY_ATTEMPTS" in str(error.value)


def test_no_storage_at_all_is_refused() -> None:
    with pytest.raises(SettingsError, match="set TESSERA_STORAGE_ACCOUNT_URL"):
        read_settings({})


@pytest.mark.parametrize(
    ("connection_string", "says"),
    [
        ("nonsense", "AzureWebJobsStorage is no storage connection string"),
        (f"AccountKey={KEY}", "AzureWebJobsStorage is no storage connection string"),
        (
            f"AccountName=a;AccountKey={KEY};BlobEndpoint=http://example.org/a",
            "AzureWebJobsStorage: plain http is for this machine only",
        ),
        (
            "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=1&sig=c2VjcmV0",
            "AzureWebJobsStorage must hold an account key",
        ),
    ],
)
def test_a_connection_string_that_cant_be_used_is_refused(connection_string: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as error:
        build(read_settings({"AzureWebJobsStorage": connection_string}))
    assert KEY not in str(error.value)
    assert "c2VjcmV0" not in str(error.value)


def test_secrets_are_not_shown() -> None:
    settings = read_settings({"TESSERA_STORAGE": f"AccountName=a;AccountKey={KEY}"})
    assert KEY not in repr(settings)
    assert KEY not in settings.model_dump_json()
