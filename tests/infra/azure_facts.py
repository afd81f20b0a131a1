"""What Azure calls things, with the page that says so. Bicep is compared with these tables."""

from typing import Final

ROLES: Final = {
    # https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    # https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/monitor
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    # https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/containers
    "acrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    # https://learn.microsoft.com/azure/durable-task/scheduler/durable-task-scheduler-identity
    "durableTaskDataContributor": "0ad04412-c4d5-4796-b79c-f76d14c8d402",
}

# Each of these has a folder with its types in https://github.com/Azure/bicep-types-az/tree/main/generated,
# read on 2026-11-24.
API_VERSIONS: Final = {
    "Microsoft.App/containerApps": "2025-01-01",
    "Microsoft.App/containerApps/authConfigs": "2025-01-01",
    "Microsoft.App/managedEnvironments": "2025-01-01",
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Consumption/budgets": "2023-11-01",
    "Microsoft.ContainerRegistry/registries": "2023-07-01",
    "Microsoft.DurableTask/schedulers": "2025-11-01",
    "Microsoft.DurableTask/schedulers/taskHubs": "2025-11-01",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/workbooks": "2022-04-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2023-01-31",
    "Microsoft.Network/networkSecurityGroups": "2024-05-01",
    "Microsoft.Network/privateDnsZones": "2020-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "2020-06-01",
    "Microsoft.Network/privateEndpoints": "2024-05-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2024-05-01",
    "Microsoft.Network/virtualNetworks": "2024-05-01",
    "Microsoft.OperationalInsights/workspaces": "2023-09-01",
    "Microsoft.Resources/resourceGroups": "2024-03-01",
    "Microsoft.Storage/storageAccounts": "2023-05-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2023-05-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2023-05-01",
    "Microsoft.Storage/storageAccounts/managementPolicies": "2023-05-01",
    # 2024-11-01 is the first with functionAppConfig.siteUpdateStrategy:
    # https://learn.microsoft.com/azure/azure-functions/flex-consumption-site-updates
    "Microsoft.Web/serverfarms": "2024-11-01",
    "Microsoft.Web/sites": "2024-11-01",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "2024-11-01",
}

HOST_SETTINGS: Final = {
    # https://learn.microsoft.com/azure/durable-task/durable-functions/durable-functions-configure-managed-identity
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    # https://learn.microsoft.com/azure/azure-functions/functions-app-settings
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "PYTHON_SCRIPT_FILE_NAME",
    # https://learn.microsoft.com/azure/azure-functions/durable-functions/durable-functions-python-type-safe-serialization-migrate
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING",
    # https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html, and decision 0006
    "MALLOC_ARENA_MAX",
    "OPENBLAS_NUM_THREADS",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TRIM_THRESHOLD_",
}

SCHEDULER_SETTINGS: Final = {
    # https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values
    "AzureFunctionsJobHost__extensions__durableTask__storageProvider__type",
    "AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName",
    # https://learn.microsoft.com/azure/durable-task/scheduler/durable-task-scheduler
    "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
}

REFUSED_BY_FLEX: Final = {
    # https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_MAX_HTTP_CONCURRENCY",
    "FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_WORKER_RUNTIME",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_DNS_SERVER",
    "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_TIME_ZONE",
    "WEBSITE_VNET_ROUTE_ALL",
}
