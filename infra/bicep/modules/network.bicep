metadata description = 'A virtual network: one subnet for the app, one for the private endpoints of its storage.'

param location string
param tags object
param suffix string

resource closed 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-${suffix}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'deny-internet-inbound'
        properties: {
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource vnet 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  // checkov:skip=CKV_AZURE_182: names of private endpoints are resolved by Azure's own DNS
  // checkov:skip=CKV_AZURE_183: names of private endpoints are resolved by Azure's own DNS
  name: 'vnet-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
    subnets: [
      {
        // Flex Consumption takes no underscore in this name, at least /27, and the delegation of Container Apps.
        name: 'functions'
        properties: {
          addressPrefix: '10.0.0.0/24'
          networkSecurityGroup: { id: closed.id }
          delegations: [
            { name: 'functions', properties: { serviceName: 'Microsoft.App/environments' } }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.0.1.0/24'
          networkSecurityGroup: { id: closed.id }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

output id string = vnet.id
output functionsSubnetId string = '${vnet.id}/subnets/functions'
output endpointsSubnetId string = '${vnet.id}/subnets/endpoints'
