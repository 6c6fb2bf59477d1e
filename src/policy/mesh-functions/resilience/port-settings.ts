import { asObject, type Json } from '../../../kube/json.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { destinationRuleFor, ruleHost, type MergedRule } from '../../../mesh/destination-rule.ts'
import { block, number, placedBlocks, text } from '../../../mesh/fields.ts'
import { meshConfigMapOf } from '../../../mesh/mesh-config.ts'
import { selectionOf } from '../../../mesh/selection.ts'
import { buildSnapshot, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { effectivePolicy } from '../../../mesh/traffic-policy.ts'
import { type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'

/** Ports whose own settings leave them without outlier detection, which the rest of the host has. */
export const portsWithoutDetection: Find = (context, object) => portsWithout('outlierDetection', context.mesh, object)

/** Ports whose own settings leave them without limits, which the rest of the host has. */
export const portsWithoutLimits: Find = (context, object) => portsWithout('connectionPool', context.mesh, object)

type PortBlock = 'outlierDetection' | 'connectionPool'

/** An entry of `portLevelSettings`, where it is written. */
interface PortEntry {
  readonly field: string
  readonly path: string
  readonly port: number
  readonly subset: string | undefined
}

/** An entry for a port replaces the policy that it stands in as a whole; only MeshConfig and the policy above a subset are left. */
function portsWithout(name: PortBlock, mesh: MeshSnapshot, object: KubeObject): readonly MeshFinding[] {
  const { trafficPolicy } = asObject(object.spec)
  const lost = block(asObject(trafficPolicy)[name])
  const entries = portEntries(object)
  if (lost === undefined || entries.length === 0) return []
  const alone = withoutOthers(mesh, object)
  const rule = ruleIn(alone, object)
  return entries
    .filter(({ port, subset }) => effectivePolicy(alone, rule, port, subset)[name] === undefined)
    .map(({ field, path, port }) => ({
      field: `${field}.${name}`,
      message: `port ${port} has settings of its own, which replace the others as a whole: it is left without ${name}`,
      remediation: `repeat ${name} for the port`,
      fix: [{ op: 'add', path: `${path}/${name}`, value: lost }],
    }))
}

function portEntries({ spec }: KubeObject): readonly PortEntry[] {
  const { trafficPolicy, subsets } = asObject(spec)
  const ofSubsets = placedBlocks(subsets).flatMap(([index, subset]) =>
    entriesOf(subset.trafficPolicy, `subsets[${index}]`, text(subset.name)),
  )
  return [...entriesOf(trafficPolicy, '', undefined), ...ofSubsets]
}

function entriesOf(policy: Json | undefined, place: string, subset: string | undefined): readonly PortEntry[] {
  const parts = ['spec', ...(place === '' ? [] : [place]), 'trafficPolicy']
  return placedBlocks(asObject(policy).portLevelSettings).flatMap(([index, entry]) => {
    const port = number(asObject(entry.port).number)
    if (port === undefined) return []
    const field = [...parts, `portLevelSettings[${index}]`].join('.')
    return [{ field, path: `/${field.replaceAll(/[.[]/g, '/').replaceAll(']', '')}`, port, subset }]
  })
}

/** A mesh of the rule and the mesh's configuration. */
function withoutOthers(mesh: MeshSnapshot, object: KubeObject): MeshSnapshot {
  const config = meshConfigMapOf(mesh)
  return buildSnapshot(config === undefined ? [object] : [object, config], { istioNamespace: mesh.istioNamespace })
}

function ruleIn(alone: MeshSnapshot, object: KubeObject): MergedRule | undefined {
  const namespace = namespaceOf(object)
  const labels = selectionOf(alone, object)?.labels ?? {}
  return destinationRuleFor(alone, { namespace, labels }, { host: ruleHost(object), namespace })
}
