import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'

import { asList, asObject, type JsonObject } from '../../../src/kube/json.ts'
import { readAlerts } from '../../../tools/alerts-page.ts'
import { chartFolder } from '../harness/helm.ts'
import { fieldOf, openRenderer, textOf, type Renderer } from './render.ts'

// What the chart makes for Prometheus and Grafana.

let renderer: Renderer
beforeAll(async () => {
  renderer = await openRenderer('4')
})

test('a port for scrapes is everywhere or nowhere', async () => {
  const ports = async (values: JsonObject) => {
    const rendered = await renderer.render({ ...values, 'metrics.serviceMonitor.enabled': true })
    return [
      fieldOf(rendered, 'Deployment/meshward', 'spec', 'template', 'spec', 'containers', 0, 'ports'),
      fieldOf(rendered, 'Service/meshward', 'spec', 'ports'),
      fieldOf(rendered, 'NetworkPolicy/meshward', 'spec', 'ingress', 0, 'ports'),
      fieldOf(rendered, 'ServiceMonitor/meshward', 'spec', 'endpoints'),
    ]
  }
  const https = [
    { name: 'https', containerPort: 8443, protocol: 'TCP' },
    { name: 'https', port: 443, targetPort: 'https', protocol: 'TCP' },
    { port: 'https', protocol: 'TCP' },
  ]
  const ca = { secret: { name: 'meshward-tls', key: 'ca.crt' } }
  expect(await ports({})).toEqual([
    ...https.map((port) => [port]),
    [
      {
        port: 'https',
        scheme: 'https',
        tlsConfig: { serverName: 'meshward.meshward-system.svc', ca },
        path: '/metrics',
        interval: '30s',
      },
    ],
  ])
  const plain = [
    { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
    { name: 'metrics', port: 9090, targetPort: 'metrics', protocol: 'TCP' },
    { port: 'metrics', protocol: 'TCP' },
  ]
  expect(await ports({ 'metrics.port': 9090 })).toEqual([
    ...https.map((port, at) => [port, plain[at]]),
    [{ port: 'metrics', path: '/metrics', interval: '30s' }],
  ])
})

test('a scrape by HTTPS expects the name that the certificate has', async () => {
  const values = { 'metrics.serviceMonitor.enabled': true, 'webhook.url': 'https://guard.example:8443' }
  const endpoint = ['ServiceMonitor/meshward', 'spec', 'endpoints', 0, 'tlsConfig', 'serverName'] as const
  expect(fieldOf(await renderer.render(values), ...endpoint)).toBe('guard.example')
})

describe('alerts', () => {
  const rulesOf = async (values: JsonObject) => {
    const on = { 'metrics.serviceMonitor.enabled': true, 'metrics.prometheusRule.enabled': true, ...values }
    const rules = fieldOf(await renderer.render(on), 'PrometheusRule/meshward', 'spec', 'groups', 0, 'rules')
    return new Map(asList(rules).map((rule) => [asObject(rule).alert, asObject(rule)]))
  }
  const alerts = readAlerts(readFileSync(join(chartFolder, 'files/alerts.yaml'), 'utf8'))

  test('are all there, for this installation, and nothing in them is left open', async () => {
    const rules = await rulesOf({})
    expect([...rules.keys()]).toEqual(alerts.map(({ alert }) => alert))
    expect(rules.get('MeshwardCertificateExpired')).toMatchObject({
      expr: 'min(meshward_certificate_expiry_timestamp_seconds{namespace="meshward-system", job="meshward"}) <= time()',
      for: '1m',
      labels: { severity: 'critical' },
      annotations: { description: expect.stringContaining('delete the Secret meshward-tls, ') },
    })
    for (const rule of rules.values()) expect(JSON.stringify(rule)).not.toMatch(/\$(?!labels\.)/)
  })

  test("are those that are wanted, with limits, labels and samples of one's own", async () => {
    const rules = await rulesOf({
      'metrics.prometheusRule.disabled': ['MeshwardDown', 'MeshwardSlow'],
      'metrics.prometheusRule.thresholds.certificateDays': 2.5,
      'metrics.prometheusRule.alertLabels': { team: 'mesh', severity: 'page' },
      'metrics.prometheusRule.selector': 'app="guard"',
      'metrics.prometheusRule.runbookUrl': 'https://runbooks.example/#',
    })
    expect(alerts.map(({ alert }) => alert).filter((alert) => !rules.has(alert))).toEqual([
      'MeshwardDown',
      'MeshwardSlow',
    ])
    expect(rules.get('MeshwardAuthorityExpiring')).toMatchObject({
      expr: 'min(meshward_certificate_authority_expiry_timestamp_seconds{app="guard"}) - time() < 2.5 * 86400',
      labels: { severity: 'warning', team: 'mesh' },
      annotations: { runbook_url: 'https://runbooks.example/#meshwardauthorityexpiring' },
    })
  })

  test('and the dashboard is the file as it is', async () => {
    const rendered = await renderer.render({ 'metrics.dashboard.enabled': true })
    const text = textOf(rendered, 'ConfigMap/meshward-dashboard', 'data', 'meshward.json')
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(join(chartFolder, 'dashboards/meshward.json'), 'utf8')))
  })
})
