import { KINDS } from '../../mesh/kinds.ts'
import { idleSidecar, sidecarAndLabel, sidecarInAmbient } from './ambient/data-planes.ts'
import { bypasses, openPorts } from './ambient/fail-open.ts'
import { selectedBehindWaypoint, unenforcedDenials, withoutWaypoint } from './ambient/layer-seven-policies.ts'
import { foreignNamespace, unenrolledService, unservedNamespace } from './ambient/traffic-rules.ts'
import { unusableWaypoint } from './ambient/waypoints.ts'
import { findingsFunction } from './findings-function.ts'
import type { MeshFunction } from './mesh-function.ts'
import { AMBIENT, INJECTED, REGISTRY } from './reads.ts'

/** The functions of `mesh.ambient`. */
export const AMBIENT_FUNCTIONS: readonly MeshFunction[] = [
  findingsFunction({
    name: 'ambient.withoutWaypoint',
    reads: AMBIENT,
    summary: 'policies about requests where no waypoint enforces them',
    find: withoutWaypoint,
  }),
  findingsFunction({
    name: 'ambient.selectedBehindWaypoint',
    reads: AMBIENT,
    summary: 'policies with a selector for workloads behind a waypoint',
    find: selectedBehindWaypoint,
  }),
  findingsFunction({
    name: 'ambient.unenforcedDenials',
    reads: AMBIENT,
    summary: 'rules that deny and that nothing enforces',
    find: unenforcedDenials,
  }),
  findingsFunction({
    name: 'ambient.unservedNamespace',
    reads: [...AMBIENT, KINDS.destinationRule, KINDS.virtualService],
    summary: 'routes and traffic policies in a namespace without a waypoint',
    find: unservedNamespace,
  }),
  findingsFunction({
    name: 'ambient.unenrolledService',
    reads: [...AMBIENT, KINDS.destinationRule, KINDS.virtualService],
    summary: 'routes and traffic policies of a service that uses no waypoint',
    find: unenrolledService,
  }),
  findingsFunction({
    name: 'ambient.foreignNamespace',
    reads: [...AMBIENT, KINDS.destinationRule, KINDS.virtualService],
    summary: 'routes and traffic policies in a namespace at which the waypoint does not look',
    find: foreignNamespace,
  }),
  findingsFunction({
    name: 'ambient.sidecarAndLabel',
    reads: INJECTED,
    summary: 'a sidecar beside the label for ambient',
    find: sidecarAndLabel,
  }),
  findingsFunction({
    name: 'ambient.sidecarInAmbient',
    reads: INJECTED,
    summary: 'a sidecar in a namespace of ambient',
    find: sidecarInAmbient,
  }),
  findingsFunction({
    name: 'ambient.idleSidecar',
    reads: INJECTED,
    summary: 'a Sidecar for workloads of ambient',
    find: idleSidecar,
  }),
  findingsFunction({
    name: 'ambient.unusableWaypoint',
    reads: AMBIENT,
    summary: 'a waypoint that is asked for and does not serve',
    find: unusableWaypoint,
  }),
  findingsFunction({
    name: 'ambient.openPorts',
    reads: [...INJECTED, KINDS.peerAuthentication, KINDS.authorizationPolicy],
    summary: 'ports that accept plaintext although STRICT is demanded',
    find: openPorts,
  }),
  findingsFunction({
    name: 'ambient.bypasses',
    reads: [...AMBIENT, ...REGISTRY, KINDS.authorizationPolicy, KINDS.peerAuthentication],
    summary: 'ways past a waypoint that guards a service',
    find: bypasses,
  }),
]
