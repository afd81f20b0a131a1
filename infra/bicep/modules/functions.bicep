metadata description = 'The function app on Flex Consumption: scales to zero, knows its storage by identity.'

param location string
param tags object
param name string
param identityId string
param identityClientId string
param hubAccountName string

@description('Container that the package is deployed to.')
param packageUrl string

param imageAccountUrl string
param insightsConnectionString string

@description('Where the traces of jobs go: a connection string, an address, or nowhere.')
param tracesTo string

@description('Endpoint of the Durable Task Scheduler, or empty where Azure Storage holds the task hub.')
param schedulerEndpoint string

@description('Subnet of the app, or empty without a virtual network.')
param subnetId string

param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyDurable int
param siteUpdateStrategy string
param retentionDays int
param appSettings object
param workspaceId string

var hostSettings = {
  AzureWebJobsStorage__accountName: hubAccountName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  PYTHON_SCRIPT_FILE_NAME: 'main.py'
  AZURE_FUNCTIONS_DURABLE_STRICT_TYPING: '1'
  MALLOC_ARENA_MAX: '1'
  OPENBLAS_NUM_THREADS: '1'
  MALLOC_MMAP_THRESHOLD_: '25165824'
  MALLOC_TRIM_THRESHOLD_: '67108864'
}

var ownSettings = {
  AZURE_CLIENT_ID: identityClientId
  TESSERA_STORAGE_ACCOUNT_URL: imageAccountUrl
  TESSERA_INSTANCE_MEMORY_MB: '${instanceMemoryMB}'
  TESSERA_MAX_INSTANCES: '${maximumInstanceCount}'
  TESSERA_RETENTION_DAYS: '${retentionDays}'
  TESSERA_TRACES: tracesTo
}

// Settings of this form replace those of host.json, so that one package serves both backends.
var schedulerSettings = empty(schedulerEndpoint) ? {} : {
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId}'
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  // checkov:skip=CKV_AZURE_212: Flex Consumption has no fixed instances; always-ready ones are a parameter
  // checkov:skip=CKV_AZURE_225: zone redundancy needs two always-ready instances, so it can't scale to zero
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  // checkov:skip=CKV_AZURE_212: Flex Consumption has no fixed instances; always-ready ones are a parameter
  // checkov:skip=CKV_AZURE_17: programs call the API with a function key, and the page is one of them
  name: name
  // checkov:skip=CKV_AZURE_213: the platform replaces Flex Consumption instances by itself and takes no probe path
  // checkov:skip=CKV_AZURE_222: the API is meant to be reached; a network can be put in front
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientCertEnabled: false
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
      appSettings: [for setting in items(union(hostSettings, schedulerSettings, appSettings, ownSettings)): {
        name: setting.key
        value: setting.value
      }]
    }
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyDurable == 0 ? [] : [
          { name: 'durable', instanceCount: alwaysReadyDurable }
        ]
        // Requests wait for storage, not for the processor.
        triggers: { http: { perInstanceConcurrency: 16 } }
      }
      #disable-next-line BCP037 // a preview that the type of this API version doesn't list yet
      siteUpdateStrategy: siteUpdateStrategy == 'Recreate' ? null : { type: siteUpdateStrategy }
    }
  }
}

// Deployments sign in with Entra; there is no publishing password.
resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [for kind in ['scm', 'ftp']: {
  parent: app
  name: kind
  properties: { allow: false }
}]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    metrics: [
      { category: 'AllMetrics', enabled: true }
    ]
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
