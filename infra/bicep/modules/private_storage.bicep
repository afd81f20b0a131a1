metadata description = 'Private endpoints of the two storage accounts, and the names that lead to them.'

param location string
param tags object
param hubAccountName string
param imageAccountName string
param subnetId string
param vnetId string

var services = ['blob', 'queue', 'table']
var connections = [
  { account: hubAccountName, service: 'blob' }
  { account: hubAccountName, service: 'queue' }
  { account: hubAccountName, service: 'table' }
  { account: imageAccountName, service: 'blob' }
]

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = [for service in services: {
  name: 'privatelink.${service}.${environment().suffixes.storage}'
  location: 'global'
  tags: tags
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [for (service, index) in services: {
  parent: zone[index]
  name: 'link-${service}'
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: vnetId }
  }
}]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = [for connection in connections: {
  name: 'pe-${connection.account}-${connection.service}'
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: connection.service
        properties: {
          privateLinkServiceId: resourceId('Microsoft.Storage/storageAccounts', connection.account)
          groupIds: [connection.service]
        }
      }
    ]
  }
}]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [for (connection, index) in connections: {
  parent: endpoint[index]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: connection.service
        properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', 'privatelink.${connection.service}.${environment().suffixes.storage}') }
      }
    ]
  }
  dependsOn: [zone]
}]
