import { globSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { asObject, type Json } from '../../src/kube/json.ts'
import { readAlerts } from '../../tools/alerts-page.ts'
import { exportedMetrics } from './exported-metrics.ts'
import { readQuery, type Query } from './promql.ts'

const alerts = readAlerts(readFileSync('charts/meshward/files/alerts.yaml', 'utf8'))
const dashboard: Dashboard = JSON.parse(readFileSync('charts/meshward/dashboards/meshward.json', 'utf8'))
const values: Json = parse(readFileSync('charts/meshward/values.yaml', 'utf8'))

const thresholds = Object.entries(asObject(asObject(asObject(asObject(values).metrics).prometheusRule).thresholds))

/** As much of Grafana's dashboards as is looked at. */
interface Dashboard {
  readonly panels: readonly {
    readonly id: number
    readonly type: string
    readonly title: string
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
    /** None of a row. */
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
  }[]
}

/** What Prometheus puts on every sample; a label of ours that is called like one becomes `exported_…`. */
const OF_TARGET = ['namespace', 'job', 'pod']

const self = 'namespace="meshward-system", job="meshward"'

/** An expression as the chart writes it. */
function ruleOf(expr: string): Query {
  const whole = thresholds.reduce((text, [name, value]) => text.replaceAll(`$${name}`, JSON.stringify(value)), expr)
  return readQuery(whole.replaceAll('$self', self))
}

let exported: ReadonlyMap<string, ReadonlySet<string>>
beforeAll(async () => {
  exported = await exportedMetrics()
})

/** What a query asks for that no server exports. */
function unknownTo({ selectors, groupedBy }: Query): readonly string[] {
  const labelsOf = (metric: string) =>
    [...(exported.get(metric) ?? [])].map((label) => (OF_TARGET.includes(label) ? `exported_${label}` : label))
  const all = selectors.flatMap(({ metric }) => labelsOf(metric))
  return [
    ...selectors.filter(({ metric }) => !exported.has(metric)).map(({ metric }) => metric),
    ...selectors.flatMap(({ metric, labels }) =>
      labels
        .filter((label) => ![...OF_TARGET, ...labelsOf(metric)].includes(label))
        .map((label) => `${metric}{${label}}`),
    ),
    ...groupedBy.filter((label) => ![...OF_TARGET, ...all].includes(label)),
  ]
}

test('the check knows what is not there', () => {
  const query = 'sum by (code, colour) (rate(meshward_requests_total{webhook="mutate", code="x"}[5m])) > meshward_speed'
  expect(unknownTo(readQuery(query))).toEqual(['meshward_speed', 'meshward_requests_total{code}', 'code', 'colour'])
  expect(unknownTo(readQuery('meshward_violations_total{exported_namespace="shop", action="Deny"}'))).toEqual([])
  expect(readQuery('rate(meshward_requests_total[5m]').errors).toHaveLength(1)
})

describe.each(alerts.map((alert) => [alert.alert, alert] as const))(
  '%s',
  (name, { expr, severity, summary, ...alert }) => {
    const query = ruleOf(expr)

    test('asks, in PromQL, for what a server exports, and for this installation only', () => {
      expect(query.errors).toEqual([])
      expect(unknownTo(query)).toEqual([])
      expect(query.selectors.map(({ labels }) => labels.slice(0, 2))).toEqual(
        query.selectors.map(() => ['namespace', 'job']),
      )
    })

    test('says what it means and what to do, of labels that it has', () => {
      expect(name).toMatch(/^Meshward[A-Z][A-Za-z]+$/)
      expect(['critical', 'warning', 'info']).toContain(severity)
      expect(Math.min(alert.meaning.length, alert.action.length)).toBeGreaterThan(40)
      const named = [...`${summary} ${alert.meaning} ${alert.action}`.matchAll(/\$labels\.(\w+)/g)].map(
        ([, label]) => label,
      )
      expect(named.filter((label) => label === undefined || !query.groupedBy.includes(label))).toEqual([])
    })

    test('quotes the log as it is', () => {
      const source = globSync('src/webhook/**/*.ts').map((file) => readFileSync(file, 'utf8'))
      const quotes = [...alert.action.matchAll(/"([^"]+)"/g)].map(([, quote = '']) => quote)
      expect(quotes.filter((quote) => !source.some((text) => text.includes(quote)))).toEqual([])
    })
  },
)

test('every alert has a name of its own, and every threshold is used', () => {
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length)
  expect(
    thresholds.map(([name]) => name).filter((name) => !alerts.some(({ expr }) => expr.includes(`$${name}`))),
  ).toEqual([])
})

describe('the dashboard', () => {
  const charts = dashboard.panels.filter(({ type }) => type !== 'row')
  const queryOf = (expr: string): Query => readQuery(expr.replaceAll('$__rate_interval', '5m'))

  test.each(charts.map(({ title, targets = [] }) => [title, targets] as const))(
    '%s asks, in PromQL, for what a server exports',
    (_, targets) => {
      expect(targets.length).toBeGreaterThan(0)
      for (const { expr, legendFormat } of targets) {
        const query = queryOf(expr)
        expect([query.errors, unknownTo(query)]).toEqual([[], []])
        expect(query.selectors.map(({ labels }) => labels.slice(0, 2))).toEqual(
          query.selectors.map(() => ['namespace', 'job']),
        )
        const legend = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label)
        expect(new Set(legend)).toEqual(new Set(query.groupedBy.filter((label) => label !== 'le')))
      }
    },
  )

  /** Too many lines for a page; for who looks for one policy. */
  const NOT_SHOWN = new Set(['meshward_rule_evaluations_total'])

  test('shows what is exported of ours', () => {
    const asked = new Set(
      charts
        .flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => queryOf(expr).selectors))
        .map(({ metric }) => metric),
    )
    const ours = [...exported.keys()].filter((name) => name.startsWith('meshward_') && !/_(?:sum|count)$/.test(name))
    expect(ours.filter((name) => !asked.has(name) && !NOT_SHOWN.has(name))).toEqual([])
  })

  test('has panels that do not lie on one another', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  })
})
