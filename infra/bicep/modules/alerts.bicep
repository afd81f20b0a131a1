metadata description = 'Mails when jobs fail by our fault, tiles kill their process or work piles up; and a workbook that shows it.'

param location string
param tags object
param insightsId string

@description('Who gets the mails, or empty for none; alerts are in the portal in any case.')
param email string

// function_app/durable.py writes these lines.
var begun = 'traces | where message startswith "job begun: " | parse message with "job begun: id=" id | summarize since = min(timestamp) by id'
var ended = 'traces | where message startswith "job ended: " | parse message with "job ended: id=" id " state=" state " code=" code | summarize arg_max(timestamp, state, code) by id'

var rules = [
  {
    name: 'failed-jobs'
    title: 'Jobs fail by our fault'
    severity: 1
    window: 'PT15M'
    query: '${ended} | where code == "internal"'
  }
  {
    name: 'poison-tiles'
    title: 'An image kills the process that works on it'
    severity: 2
    window: 'PT15M'
    query: '${ended} | where code == "gave-up"'
  }
  {
    name: 'backlog-age'
    title: 'A job has been under way for more than an hour'
    severity: 2
    window: 'P1D'
    query: 'let ended = ${ended}; ${begun} | where since < ago(1h) | join kind=leftanti ended on id'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'tessera-operators'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'tessera'
    enabled: true
    emailReceivers: [
      { name: 'operators', emailAddress: email, useCommonAlertSchema: true }
    ]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'tessera-${rule.name}'
  location: location
  tags: tags
  properties: {
    displayName: rule.title
    description: 'docs/operate.md says what to do.'
    enabled: true
    severity: rule.severity
    scopes: [insightsId]
    evaluationFrequency: 'PT15M'
    windowSize: rule.window
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: { actionGroups: empty(email) ? [] : [people.id] }
  }
}]

resource workbook 'Microsoft.Insights/workbooks@2022-04-01' = {
  name: guid(insightsId, 'tessera')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Tessera'
    category: 'workbook'
    sourceId: insightsId
    serializedData: string(loadJsonContent('../workbook.json'))
  }
}
