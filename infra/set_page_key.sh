#!/bin/sh
# Give the page its key to the API: a function key named `page`, kept as a secret of the container app. azd runs it
# after provisioning (which knows no key) and after deploying; alone: azd hooks run postdeploy
set -eu

group=${AZURE_RESOURCE_GROUP:?run this through azd, which knows the resource group}
functions=${TESSERA_FUNCTION_APP:?run this through azd, which knows the function app}
page=${TESSERA_PAGE_APP:?run this through azd, which knows the page}

read_key() {
    az functionapp keys list --resource-group "$group" --name "$functions" --query functionKeys.page --output tsv
}

# The host hands out keys only once an app is deployed; the run after the deployment does the work.
if [ "${1:-}" = --later-is-fine ]; then
    if ! key=$(read_key 2>/dev/null); then
        echo "The functions' host doesn't answer yet; the page gets its key after the deployment." >&2
        exit 0
    fi
else
    # A host that has just been deployed to may need a moment.
    tries=${TESSERA_KEY_TRIES:-12}
    until key=$(read_key 2>/dev/null); do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            echo "The functions' host hands out no key. See that the app is deployed, then: azd hooks run postdeploy" >&2
            exit 1
        fi
        sleep 5
    done
fi

if [ -z "$key" ]; then
    az functionapp keys set --resource-group "$group" --name "$functions" --key-type functionKeys --key-name page \
        --output none
    key=$(read_key)
fi

az containerapp secret set --resource-group "$group" --name "$page" --secrets "api-key=$key" --output none
# A running revision keeps the secrets it started with.
revision=$(az containerapp show --resource-group "$group" --name "$page" --query properties.latestRevisionName --output tsv)
az containerapp revision restart --resource-group "$group" --name "$page" --revision "$revision" --output none
echo "The page has its key."
