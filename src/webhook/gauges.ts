import { Counter, Gauge, type Registry } from 'prom-client'

import type { PolicySet } from '../policy/policy-set.ts'
import type { Source } from '../sources/source.ts'
import type { AdmissionGate } from './admission-gate.ts'
import type { Membership } from './cluster/join-cluster.ts'
import type { ConfigurationState } from './cluster/repair-webhooks.ts'
import type { MeshInForce } from './mesh-in-force.ts'

/** Whose state a scrape shows. */
export interface Gauged {
  readonly version: string
  readonly gate: AdmissionGate
  readonly policies: Source<PolicySet>
  readonly mesh: Pick<MeshInForce, 'status' | 'staleness' | 'current' | 'hasSynced'>
  readonly cluster?: Pick<Membership, 'isLeader' | 'webhooks' | 'authorityEnd'> | undefined
  /** When the certificate that is served ends; undefined while none is. */
  readonly certificateExpiry: () => Date | undefined
}

/** Registers everything that is read when a scrape asks for it. */
export function registerGauges(registry: Registry, options: Gauged): void {
  const { version, gate, policies, mesh, cluster, certificateExpiry } = options
  const gauge = (name: string, help: string, labels: readonly string[], collect: (gauge: Gauge) => void): void =>
    registry.registerMetric(
      new Gauge({
        name: `meshward_${name}`,
        help,
        labelNames: [...labels],
        registers: [],
        collect() {
          collect(this)
        },
      }),
    )
  const counter = (name: string, help: string, collect: (count: (kind: string, total: number) => void) => void): void =>
    registry.registerMetric(
      new Counter({
        name: `meshward_${name}`,
        help,
        labelNames: ['kind'],
        registers: [],
        collect() {
          this.reset()
          collect((kind, total) => this.inc({ kind }, total))
        },
      }),
    )
  gauge('build_info', 'Always 1.', ['version', 'node'], (it) => it.set({ version, node: process.versions.node }, 1))
  gauge('certificate_expiry_timestamp_seconds', 'When the certificate that is served ends.', [], (it) =>
    it.set((certificateExpiry()?.getTime() ?? 0) / 1000),
  )
  gauge('requests_in_flight', 'Requests whose answers are under way.', [], (it) => it.set(gate.inFlight().requests))
  gauge('request_bytes_in_flight', 'Bytes of request bodies held in memory.', [], (it) => it.set(gate.inFlight().bytes))
  gauge('policies', 'Policies in force, by whether they compile.', ['state'], (it) => {
    const all = policies.hasSynced() ? policies.current().policies : []
    const broken = all.filter(({ program }) => program === undefined).length
    it.set({ state: 'compiled' }, all.length - broken)
    it.set({ state: 'broken' }, broken)
  })
  gauge('mesh_objects', 'Objects of the mesh that are known, by kind.', ['kind'], (it) => {
    if (mesh.hasSynced()) for (const { kind } of mesh.status()) it.set({ kind }, mesh.current().all(kind).length)
  })
  gauge('mesh_staleness_seconds', 'Since the API server was last heard of every kind.', [], (it) =>
    it.set(mesh.staleness() / 1000),
  )
  gauge('mesh_kind_staleness_seconds', 'Since the API server was last heard of a kind.', ['kind'], (it) => {
    // Of a kind that is read in several namespaces the oldest counts.
    for (const { kind, lastContact } of mesh.status().toSorted((a, b) => b.lastContact - a.lastContact))
      it.set({ kind }, (performance.now() - lastContact) / 1000)
  })
  counter('mesh_watch_failures_total', 'Lists and watches of a kind that failed.', (count) => {
    for (const { kind, failures } of mesh.status()) count(kind, failures)
  })
  counter(
    'mesh_objects_left_out_total',
    'Objects and events that are damaged, or older than what is known.',
    (count) => {
      for (const { kind, leftOut } of mesh.status()) count(kind, leftOut)
    },
  )
  if (cluster === undefined) return
  gauge('leader', 'Whether this replica does what one must do.', [], (it) => it.set(cluster.isLeader() ? 1 : 0))
  gauge(
    'webhook_configuration_in_sync',
    'Whether the configuration is as the policies need it; only the leader knows.',
    ['configuration'],
    (it) => {
      it.reset()
      for (const [configuration, state] of Object.entries(cluster.webhooks() ?? {}))
        it.set({ configuration }, IN_SYNC.has(state) ? 1 : 0)
    },
  )
  gauge('certificate_authority_expiry_timestamp_seconds', 'When the newest authority in the Secret ends.', [], (it) => {
    const end = cluster.authorityEnd()
    if (end !== undefined) it.set(end / 1000)
  })
}

const IN_SYNC: ReadonlySet<string> = new Set<ConfigurationState>(['synced', 'repaired'])
