import type { Request, RequestHandler } from 'express'

import type { MeshKnowledge } from '../engine/mesh-knowledge.ts'
import { emptySnapshot, type MeshSnapshot } from '../mesh/snapshot.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import { checkDocuments, judgedObjects } from '../reports/check-documents.ts'
import type { CheckReport } from '../reports/check-report.ts'
import { describeObjects, type ObjectReport } from '../reports/describe-objects.ts'
import { onlyPolicies } from '../reports/only-policies.ts'
import { readManifests } from '../sources/manifests.ts'
import type { Source } from '../sources/source.ts'
import { createGate, type Ticket } from './admission-gate.ts'
import type { DryRunAccess } from './dry-run-access.ts'
import { failed, NOT_READY, type Outcome } from './http-problem.ts'
import { BUSY, MEBIBYTE, readBody } from './read-body.ts'
import { refuse } from './refuse.ts'
import { requestTimeout } from './request-timeout.ts'

/** What is read of YAML at once (`src/kube/yaml-document.ts`); a rendered chart with all its CRDs stays below. */
const MOST_BYTES = 8 * MEBIBYTE

/** A dry run is a person or a pipeline waiting; admission goes first. */
const LIMITS = { requests: 8, bytes: 32 * MEBIBYTE }

export interface DryRunContext {
  readonly policies: Source<PolicySet>
  readonly mesh: Source<MeshSnapshot>
  readonly knowledge: () => MeshKnowledge
  readonly access: DryRunAccess
}

/** The answer: that of `check -o json`, and what would become of each object. */
export type DryRunAnswer = CheckReport & { readonly objects: readonly ObjectReport[] }

/** The handler of `POST /dry-run`: one or many manifests in, their decisions out. */
export function createDryRun(context: DryRunContext): RequestHandler {
  const gate = createGate(LIMITS)
  return async (request, response) => {
    const ticket = gate.enter()
    try {
      const outcome = await dryRun(context, request, ticket)
      if (outcome.ok) response.type('json').send(`${JSON.stringify(outcome.value)}\n`)
      else refuse(request, response, outcome.problem)
    } finally {
      ticket?.leave()
    }
  }
}

async function dryRun(
  context: DryRunContext,
  request: Request,
  ticket: Ticket | undefined,
): Promise<Outcome<DryRunAnswer>> {
  if (ticket === undefined) return BUSY
  if (!isText(request.headers['content-type'])) {
    const sent = request.headers['content-type'] ?? 'missing'
    return failed(415, `the Content-Type is ${sent}. Send manifests as application/yaml or application/json.`)
  }
  const query = readQuery(request.url)
  if (!query.ok) return query
  const permissions = await context.access(request)
  if (!permissions.ok) return permissions
  if (!context.policies.hasSynced() || !context.mesh.hasSynced()) return NOT_READY
  const only = onlyPolicies(context.policies.current(), query.value.only)
  if (!only.ok) return failed(400, `the query parameter only: ${only.message}`)
  const timeout = requestTimeout(request.url)
  const body = await readBody(request, { mostBytes: MOST_BYTES, whyNotMore: 'so send it in parts', timeout, ticket })
  if (!body.ok) return body
  if (body.value.length === 0) return failed(400, 'the body is empty. Send manifests as YAML or JSON.')
  const texts = [{ file: '-', text: body.value.toString('utf8'), origin: 'named' }] as const
  const documents = { read: readManifests(texts), contextKinds: new Map(), namespace: 'default' }
  const requests = judgedObjects(documents).map((judged) => judged.request)
  const mayCreate = await permissions.value.judge(requests)
  if (!mayCreate.ok) return mayCreate
  const inCluster = query.value.context === 'cluster'
  const namespaces = new Set(requests.map(({ namespace }) => namespace))
  const view = await permissions.value.view(inCluster ? context.mesh.current() : emptySnapshot(), namespaces)
  if (!view.ok) return view
  const { mesh, whole } = view.value
  const { report, objects } = checkDocuments({
    ...documents,
    policies: only.set,
    context: mesh,
    knowledge: inCluster && whole ? context.knowledge() : 'partial',
    defaults: query.value.defaults,
  })
  return { ok: true, value: { ...report, objects: describeObjects(objects, texts) } }
}

interface Query {
  readonly only: readonly string[]
  readonly defaults: 'inject' | 'off'
  readonly context: 'cluster' | 'none'
}

function readQuery(url: string): Outcome<Query> {
  const { searchParams } = new URL(url, 'https://localhost')
  const unknown = [...searchParams.keys()].find((name) => !PARAMETERS.includes(name))
  if (unknown !== undefined)
    return failed(400, `there is no query parameter "${unknown}". There are ${PARAMETERS.join(', ')}.`)
  const defaults = searchParams.get('defaults') ?? 'inject'
  if (defaults !== 'inject' && defaults !== 'off')
    return failed(400, `the query parameter defaults is "${defaults}". Write inject or off.`)
  const context = searchParams.get('context') ?? 'cluster'
  if (context !== 'cluster' && context !== 'none')
    return failed(400, `the query parameter context is "${context}". Write cluster or none.`)
  const only = searchParams.getAll('only').flatMap((names) => names.split(',').map((name) => name.trim()))
  return { ok: true, value: { only: only.filter((name) => name !== ''), defaults, context } }
}

const PARAMETERS = ['only', 'defaults', 'context', 'timeout']

/** Everything that people and curl call YAML or JSON; curl says `x-www-form-urlencoded` when it is told nothing. */
function isText(contentType: string | undefined): boolean {
  return contentType === undefined || TEXT.test(contentType)
}

const TEXT =
  /^\s*(?:application\/(?:x-)?yaml|text\/(?:x-)?yaml|application\/json|text\/plain|application\/x-www-form-urlencoded)\s*(?:;|$)/i
