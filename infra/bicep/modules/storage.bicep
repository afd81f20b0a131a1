metadata description = 'A storage account that knows identities only, with private containers.'

param location string
param tags object

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Names of the containers.')
param containers array

@description('Containers whose blobs are deleted some days after their last change: { container, days }.')
param expirations array = []

@description('Origins of pages whose scripts may use signed URLs.')
param corsOrigins array = []

@description('Whether the account answers from outside the virtual network.')
param publicAccess bool

param workspaceId string

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  // checkov:skip=CKV_AZURE_35: a Flex Consumption app without a network, and signed URLs, come from unknown addresses
  // checkov:skip=CKV_AZURE_59: the image account is reached by signed URLs; with a network the hub account is closed
  // checkov:skip=CKV_AZURE_206: uploads and results are kept for days and can be made again; a copy elsewhere doubles the price
  // checkov:skip=CKV_AZURE_43: the name ends in a hash of letters and digits, which this check can't compute
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    // What a lifecycle rule or a finished job deletes is gone: no copy lingers, none is paid for.
    deleteRetentionPolicy: { enabled: false }
    containerDeleteRetentionPolicy: { enabled: false }
    isVersioningEnabled: false
    cors: {
      corsRules: empty(corsOrigins) ? [] : [
        {
          allowedOrigins: corsOrigins
          allowedMethods: ['GET', 'HEAD', 'PUT', 'OPTIONS']
          allowedHeaders: ['content-type', 'if-none-match', 'range', 'x-ms-blob-type', 'x-ms-version', 'x-ms-blob-content-type']
          exposedHeaders: ['etag', 'content-length', 'content-range']
          maxAgeInSeconds: 3600
        }
      ]
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [for item in containers: {
  parent: blobs
  name: item
  properties: { publicAccess: 'None' }
}]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = if (!empty(expirations)) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [for item in expirations: {
        name: 'expire-${item.container}'
        enabled: true
        type: 'Lifecycle'
        definition: {
          filters: {
            blobTypes: ['blockBlob']
            prefixMatch: ['${item.container}/']
          }
          actions: {
            baseBlob: { delete: { daysAfterModificationGreaterThan: item.days } }
          }
        }
      }]
    }
  }
}

// Who wrote and deleted what; reads would be most of the bill and are in the app's own traces.
resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageDelete', enabled: true }
    ]
    metrics: [
      { category: 'Transaction', enabled: true }
    ]
  }
}

output name string = account.name
output blobEndpoint string = account.properties.primaryEndpoints.blob
