metadata description = 'The page on Container Apps: scales to zero, and is closed until somebody may sign in or an address is allowed.'

param location string
param tags object
param suffix string

@description('Whether an image of the page is deployed already; provisioning again must not replace it.')
param exists bool

param identityId string
param identityClientId string
param identityPrincipalId string
param workspaceId string
param apiUrl string

@description('Entra registration that people sign in with, or empty.')
param signInClientId string

@description('Address ranges that may open the page, separated by commas, or empty.')
param allowedAddresses string

var appName = 'page-${suffix}'
var port = 8501
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var addresses = empty(allowedAddresses) ? [] : split(allowedAddresses, ',')
// Whoever opens the page spends this subscription's money: nobody does by default.
var isOpen = !empty(signInClientId) || !empty(addresses)
var probe = { path: '/_stcore/health', port: port }

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  // checkov:skip=CKV_AZURE_139: a private registry needs the Premium tier; pulling takes a role
  // checkov:skip=CKV_AZURE_163: scanning is Microsoft Defender's, a choice of the subscription
  // checkov:skip=CKV_AZURE_166: quarantine needs the Premium tier
  // checkov:skip=CKV_AZURE_233: zone redundancy needs the Premium tier
  name: 'cr${suffix}'
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: {
    adminUserEnabled: false
  }
}

// The page fetches its own image.
resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, identityPrincipalId, acrPull)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
  }
}

resource environmentOfApps 'Microsoft.App/managedEnvironments@2025-01-01' = {
  name: 'cae-${suffix}'
  location: location
  tags: tags
  properties: {
    // Through a diagnostic setting: the other way takes the key of the workspace.
    appLogsConfiguration: { destination: 'azure-monitor' }
    workloadProfiles: [
      { name: 'Consumption', workloadProfileType: 'Consumption' }
    ]
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environmentOfApps
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'ContainerAppConsoleLogs', enabled: true }
      { category: 'ContainerAppSystemLogs', enabled: true }
    ]
  }
}

resource deployed 'Microsoft.App/containerApps@2025-01-01' existing = if (exists) {
  name: appName
}

resource app 'Microsoft.App/containerApps@2025-01-01' = {
  name: appName
  location: location
  tags: union(tags, { 'azd-service-name': 'page' })
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    environmentId: environmentOfApps.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: isOpen
        targetPort: port
        transport: 'auto'
        allowInsecure: false
        // An upload is a request of its own, and belongs to the session that one replica holds.
        stickySessions: { affinity: 'sticky' }
        ipSecurityRestrictions: [for (range, index) in addresses: {
          name: 'allowed-${index}'
          action: 'Allow'
          ipAddressRange: trim(range)
        }]
      }
      registries: [
        { server: registry.properties.loginServer, identity: identityId }
      ]
      // infra/set_page_key.sh writes the first one after each provisioning. The second names the identity that
      // stands in for a client secret, by this name.
      secrets: [
        { name: 'api-key', value: 'not-set-yet' }
        { name: 'override-use-mi-fic-assertion-client-id', value: identityClientId }
      ]
    }
    template: {
      containers: [
        {
          name: 'page'
          image: exists ? deployed.properties.template.containers[0].image : 'mcr.microsoft.com/azuredocs/containerapps-helloworld:latest'
          env: [
            { name: 'TESSERA_API_URL', value: apiUrl }
            { name: 'TESSERA_API_KEY', secretRef: 'api-key' }
            // In MB. An upload is held in memory; larger images go by the command line.
            { name: 'STREAMLIT_SERVER_MAX_UPLOAD_SIZE', value: '512' }
          ]
          resources: { cpu: json('1.0'), memory: '2Gi' }
          // The stand-in image of the first provisioning answers no probe.
          probes: exists ? [
            { type: 'Startup', httpGet: probe, periodSeconds: 2, failureThreshold: 30 }
            { type: 'Readiness', httpGet: probe, periodSeconds: 10 }
            { type: 'Liveness', httpGet: probe, periodSeconds: 30 }
          ] : []
        }
      ]
      scale: { minReplicas: 0, maxReplicas: 3 }
    }
  }
  dependsOn: [pull]
}

resource signIn 'Microsoft.App/containerApps/authConfigs@2025-01-01' = if (!empty(signInClientId)) {
  parent: app
  name: 'current'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      unauthenticatedClientAction: 'RedirectToLoginPage'
      redirectToProvider: 'azureactivedirectory'
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: signInClientId
          clientSecretSettingName: 'override-use-mi-fic-assertion-client-id'
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: [signInClientId, 'api://${signInClientId}'] }
      }
    }
  }
}

output name string = app.name
output origin string = 'https://${app.properties.configuration.ingress.fqdn}'
output registryEndpoint string = registry.properties.loginServer
