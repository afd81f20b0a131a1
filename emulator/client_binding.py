"""What a durable client binding gives a function: where and how to reach the durable management API."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from emulator.functions import Function

WEBHOOK = "/runtime/webhooks/durabletask"
_PLACEHOLDER = "INSTANCEID"
_CONNECTION = "Storage"


class ClientBinding:
    """Builds management URLs and the values of durable client bindings.

    Parameters
    ----------
    base_url
        Scheme and authority under which the host is reached, such as ``http://localhost:7071``.
    rpc_url
        Base URL of the management API for this machine only, with a slash at its end.
    task_hub
        Name of the task hub.
    system_key
        Key of the durable extension.
    """

    def __init__(self, base_url: str, rpc_url: str, task_hub: str, system_key: str) -> None:
        self._base_url = base_url
        self._rpc_url = rpc_url
        self._task_hub = task_hub
        self._key = urlencode({"code": system_key})

    def management_urls(self, instance_id: str, base_url: str | None = None) -> dict[str, str]:
        """List the URLs that manage an instance.

        Parameters
        ----------
        instance_id
            The instance.
        base_url
            Scheme and authority to use instead of the host's own.

        Returns
        -------
        dict
            URLs by the extension's names; ``id`` is the instance id itself.
        """
        instance = f"{base_url or self._base_url}{WEBHOOK}/instances/{quote(instance_id, safe='')}"
        query = f"{urlencode({'taskHub': self._task_hub, 'connection': _CONNECTION})}&{self._key}"
        return {
            "id": instance_id,
            "statusQueryGetUri": f"{instance}?{query}",
            "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{query}",
            "terminatePostUri": f"{instance}/terminate?reason={{text}}&{query}",
            "rewindPostUri": f"{instance}/rewind?reason={{text}}&{query}",
            "purgeHistoryDeleteUri": f"{instance}?{query}",
            "restartPostUri": f"{instance}/restart?{query}",
            "suspendPostUri": f"{instance}/suspend?reason={{text}}&{query}",
            "resumePostUri": f"{instance}/resume?reason={{text}}&{query}",
        }

    def inputs(self, function: Function) -> list[dict[str, Any]]:
        """Make the values of a function's durable client bindings.

        Parameters
        ----------
        function
            The function.

        Returns
        -------
        list of dict
            Invocation inputs.
        """
        return [
            {"name": binding["name"], "kind": "string", "value": self._value()} for binding in function.inputs
        ]

    def _value(self) -> str:
        base = self._base_url + WEBHOOK
        create = f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]"
        wait = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
        return json.dumps(
            {
                "taskHubName": self._task_hub,
                "connectionName": None,
                "creationUrls": {
                    "createNewInstancePostUri": f"{create}?{self._key}",
                    "createAndWaitOnNewInstancePostUri": f"{create}?{wait}&{self._key}",
                },
                "managementUrls": self.management_urls(_PLACEHOLDER),
                "baseUrl": base,
                "requiredQueryStringParameters": self._key,
                "rpcBaseUrl": self._rpc_url,
                "httpBaseUrl": base,
            }
        )
