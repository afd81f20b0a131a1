using 'main.bicep'

// Each is a variable of the azd environment: azd env set NAME value
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'tessera')
param location = readEnvironmentVariable('AZURE_LOCATION', 'eastus')
param instanceMemoryMB = int(readEnvironmentVariable('TESSERA_INSTANCE_MEMORY_MB', '2048'))
param maximumInstanceCount = int(readEnvironmentVariable('TESSERA_MAXIMUM_INSTANCES', '100'))
param alwaysReadyDurable = int(readEnvironmentVariable('TESSERA_ALWAYS_READY', '0'))
param siteUpdateStrategy = readEnvironmentVariable('TESSERA_SITE_UPDATE', 'Recreate')
param durableBackend = readEnvironmentVariable('TESSERA_DURABLE_BACKEND', 'AzureStorage')
param retentionDays = int(readEnvironmentVariable('TESSERA_RETENTION_DAYS', '7'))
param appSettings = json(readEnvironmentVariable('TESSERA_APP_SETTINGS', '{}'))
param traces = readEnvironmentVariable('TESSERA_TRACES', 'ApplicationInsights')
param vnetEnabled = bool(readEnvironmentVariable('TESSERA_VNET', 'false'))
param pageSignInClientId = readEnvironmentVariable('TESSERA_SIGN_IN_CLIENT_ID', '')
param pageAllowedAddresses = readEnvironmentVariable('TESSERA_PAGE_ADDRESSES', '')
param pageExists = bool(readEnvironmentVariable('SERVICE_PAGE_RESOURCE_EXISTS', 'false'))
param alertEmail = readEnvironmentVariable('TESSERA_ALERT_EMAIL', '')
param monthlyBudget = int(readEnvironmentVariable('TESSERA_MONTHLY_BUDGET', '50'))
