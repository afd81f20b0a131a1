metadata description = 'Durable Task Scheduler, the other backend of Durable Functions.'

param location string
param tags object
param suffix string
param principalId string

var durableTaskDataContributor = '0ad04412-c4d5-4796-b79c-f76d14c8d402'

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: 'dts-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'Consumption' }
    // It may not be empty. Callers sign in with Entra; instances of a Consumption plan have no fixed addresses.
    ipAllowlist: ['0.0.0.0/0']
  }
}

// The name is that of host.json.
resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' = {
  parent: scheduler
  name: 'Tessera'
  properties: {}
}

// Start, run and purge orchestrations in this hub, and in no other.
resource role 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: hub
  name: guid(hub.id, principalId, durableTaskDataContributor)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', durableTaskDataContributor)
  }
}

output endpoint string = scheduler.properties.endpoint
