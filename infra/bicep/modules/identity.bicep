metadata description = 'Two identities: the function app and the page share no right.'

param location string
param tags object
param suffix string

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-app-${suffix}'
  location: location
  tags: tags
}

resource page 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-page-${suffix}'
  location: location
  tags: tags
}

output appId string = app.id
output appClientId string = app.properties.clientId
output appPrincipalId string = app.properties.principalId
output pageId string = page.id
output pageClientId string = page.properties.clientId
output pagePrincipalId string = page.properties.principalId
