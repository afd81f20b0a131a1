metadata description = 'Tessera on Azure: the function app, its storage, its page, and what watches them.'

targetScope = 'subscription'

@description('Name of the environment; resource names follow from it.')
@minLength(2)
@maxLength(32)
param environmentName string

@description('Region of everything. It must offer Flex Consumption.')
@minLength(1)
param location string

@description('Memory of a function instance in MB; 2048 has one vCPU, which is what one activity uses.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances of a function group. The regional quota of a subscription is 250 vCPUs by default.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Instances that are kept ready for orchestrators and activities; 0 scales to zero.')
@minValue(0)
@maxValue(20)
param alwaysReadyDurable int = 0

@description('Recreate ends running work at an update, and Durable repeats it. RollingUpdate, a preview not in all regions, waits.')
@allowed(['Recreate', 'RollingUpdate'])
param siteUpdateStrategy string = 'Recreate'

@description('Where Durable Functions keeps its state.')
@allowed(['AzureStorage', 'DurableTaskScheduler'])
param durableBackend string = 'AzureStorage'

@description('Days after which results are deleted.')
@minValue(1)
@maxValue(365)
param retentionDays int = 7

@description('Settings of the app to override, such as { TESSERA_MAX_BYTES: \'1073741824\' }.')
param appSettings object = {}

@description('Where the traces of jobs go: ApplicationInsights, None, or the address of an OTLP receiver.')
param traces string = 'ApplicationInsights'

@description('Whether the app reaches its storage through a virtual network.')
param vnetEnabled bool = false

@description('Application (client) id of the Entra registration that people sign in to the page with.')
param pageSignInClientId string = ''

@description('Address ranges that may open the page, separated by commas, such as 203.0.113.7/32.')
param pageAllowedAddresses string = ''

@description('Whether the page is deployed already; azd says so.')
param pageExists bool = false

@description('Who is told of alerts and of the budget. Without an address there are no alert mails and no budget.')
param alertEmail string = ''

@description('Budget of a month, in the currency of the subscription.')
@minValue(1)
param monthlyBudget int = 50

@description('First month of the budget.')
param budgetStart string = utcNow('yyyy-MM-01')

var suffix = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'identity'
  params: {
    location: location
    tags: tags
    suffix: suffix
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: {
    location: location
    tags: tags
    suffix: suffix
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  scope: group
  name: 'network'
  params: {
    location: location
    tags: tags
    suffix: suffix
  }
}

module page 'modules/page.bicep' = {
  scope: group
  name: 'page'
  params: {
    location: location
    tags: tags
    suffix: suffix
    exists: pageExists
    identityId: identity.outputs.pageId
    identityClientId: identity.outputs.pageClientId
    identityPrincipalId: identity.outputs.pagePrincipalId
    workspaceId: monitoring.outputs.workspaceId
    apiUrl: 'https://func-${suffix}.azurewebsites.net'
    signInClientId: pageSignInClientId
    allowedAddresses: pageAllowedAddresses
  }
}

// The task hub, the deployed package and the keys of the app. Nobody but the app needs it.
module hubStorage 'modules/storage.bicep' = {
  scope: group
  name: 'hub-storage'
  params: {
    location: location
    tags: tags
    name: 'sthub${suffix}'
    containers: ['app-package']
    publicAccess: !vnetEnabled
    workspaceId: monitoring.outputs.workspaceId
  }
}

// Images. People and the page send and fetch them by signed URLs, so it stays reachable.
module imageStorage 'modules/storage.bicep' = {
  scope: group
  name: 'image-storage'
  params: {
    location: location
    tags: tags
    name: 'stimg${suffix}'
    containers: ['uploads', 'work', 'results', 'jobs']
    expirations: [
      { container: 'uploads', days: 1 }
      { container: 'work', days: 1 }
      { container: 'results', days: retentionDays }
      { container: 'jobs', days: retentionDays }
    ]
    corsOrigins: [page.outputs.origin]
    publicAccess: true
    workspaceId: monitoring.outputs.workspaceId
  }
}

module privateStorage 'modules/private_storage.bicep' = if (vnetEnabled) {
  scope: group
  name: 'private-storage'
  params: {
    location: location
    tags: tags
    hubAccountName: hubStorage.outputs.name
    imageAccountName: imageStorage.outputs.name
    subnetId: network.outputs.endpointsSubnetId
    vnetId: network.outputs.id
  }
}

module scheduler 'modules/scheduler.bicep' = if (durableBackend == 'DurableTaskScheduler') {
  scope: group
  name: 'scheduler'
  params: {
    location: location
    tags: tags
    suffix: suffix
    principalId: identity.outputs.appPrincipalId
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  name: 'roles'
  params: {
    principalId: identity.outputs.appPrincipalId
    hubAccountName: hubStorage.outputs.name
    imageAccountName: imageStorage.outputs.name
    insightsName: monitoring.outputs.insightsName
  }
}

module functions 'modules/functions.bicep' = {
  scope: group
  name: 'functions'
  params: {
    location: location
    tags: tags
    name: 'func-${suffix}'
    identityId: identity.outputs.appId
    identityClientId: identity.outputs.appClientId
    hubAccountName: hubStorage.outputs.name
    packageUrl: '${hubStorage.outputs.blobEndpoint}app-package'
    imageAccountUrl: imageStorage.outputs.blobEndpoint
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    tracesTo: traces == 'ApplicationInsights' ? monitoring.outputs.insightsConnectionString : traces == 'None' ? '' : traces
    schedulerEndpoint: durableBackend == 'DurableTaskScheduler' ? scheduler.outputs.endpoint : ''
    subnetId: vnetEnabled ? network.outputs.functionsSubnetId : ''
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyDurable: alwaysReadyDurable
    siteUpdateStrategy: siteUpdateStrategy
    retentionDays: retentionDays
    appSettings: appSettings
    workspaceId: monitoring.outputs.workspaceId
  }
  // The host opens its storage as soon as it is there: rights and names come first.
  dependsOn: [roles, privateStorage]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    email: alertEmail
  }
}

module budget 'modules/budget.bicep' = if (!empty(alertEmail)) {
  scope: group
  name: 'budget'
  params: {
    amount: monthlyBudget
    start: budgetStart
    email: alertEmail
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = page.outputs.registryEndpoint
output TESSERA_API_URL string = functions.outputs.url
output TESSERA_FUNCTION_APP string = functions.outputs.name
output TESSERA_PAGE_APP string = page.outputs.name
output TESSERA_PAGE_URL string = page.outputs.origin
