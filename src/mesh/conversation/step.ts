import { nameOf, namespaceOf, type KubeObject } from '../../kube/object.ts'

/** What decides: an object and the field of it. */
export interface Decider {
  readonly object: KubeObject
  /** `spec.http[0].timeout`; of MeshConfig `data.mesh: outboundTrafficPolicy.mode`. */
  readonly field: string
}

/** The question that a step of a call answers, in the order in which they come up. */
export type Topic =
  | 'client'
  | 'host'
  | 'listener'
  | 'visibility'
  | 'route'
  | 'retries'
  | 'timeout'
  | 'destination'
  | 'transport'
  | 'server'
  | 'policy'
  | 'verdict'

/** One answer on the way of a call. */
export interface Step {
  readonly topic: Topic
  readonly text: string
  /** Undefined: nothing is configured; Istio's default holds, or the mesh has no say. */
  readonly by: Decider | undefined
  /** Which part of the calls it is about: a destination, some pods. Empty: all of them. */
  readonly branch: string
}

/** How a call ends, as far as the mesh decides it. */
export interface Ending {
  /** `partly`: some requests do, some don't. `unknown`: something that the model does not know decides. */
  readonly outcome: 'ok' | 'fails' | 'partly' | 'unknown'
  /** What the caller gets to see: `503`, `connection reset`, `DNS failure`; where it is ok, who answers. */
  readonly sees: string
  readonly why: string
  readonly by: Decider | undefined
}

/** The steps of a call, one by one, and how it ends. */
export type Walk = Generator<Step, Ending>

/** A walk that is over. */
export interface Walked {
  readonly steps: readonly Step[]
  readonly ending: Ending
}

/** Goes all the way. */
export function collect(walk: Walk): Walked {
  const steps: Step[] = []
  for (;;) {
    const next = walk.next()
    if (next.done === true) return { steps, ending: next.value }
    steps.push(next.value)
  }
}

/** A step, for all of the calls unless it says otherwise. */
export function step(topic: Topic, text: string, by?: Decider, branch = ''): Step {
  return { topic, text, by, branch }
}

/** The ending of a call that does not get through. */
export function fails(sees: string, why: string, by?: Decider): Ending {
  return { outcome: 'fails', sees, why, by }
}

/** The ending of a call about which something is not known. */
export function unknown(why: string, by?: Decider): Ending {
  return { outcome: 'unknown', sees: 'it depends', why, by }
}

/** The ending of a call that somebody answers. */
export function answered(sees: string, why: string, by?: Decider): Ending {
  return { outcome: 'ok', sees, why, by }
}

/** `Kind namespace/name` of an object. */
export function objectName(object: KubeObject): string {
  const namespace = namespaceOf(object)
  return `${object.kind} ${namespace === '' ? '' : `${namespace}/`}${nameOf(object)}`
}

/** A part of the calls: what it is called, how much of them it is, and its own steps and ending. */
export interface Part {
  readonly name: string
  readonly share: number
  readonly walk: () => Walk
}

/** All the parts, each under its name where there are several, and what they come to together. */
export function* walkParts(parts: readonly Part[], noun: string): Walk {
  const endings: { readonly ending: Ending; readonly share: number; readonly name: string }[] = []
  const isOnly = parts.length === 1
  for (const { name, share, walk } of parts) {
    const { steps, ending } = collect(walk())
    yield* isOnly ? steps : [...steps, endingStep(ending)].map((inner) => under(name, inner))
    endings.push({ ending, share, name })
  }
  return combine(endings, noun)
}

/** How a part of the calls ends, where others may end in another way. */
function endingStep({ outcome, sees, why, by }: Ending): Step {
  return step('verdict', `${outcome}: ${sees}; ${why}`, by)
}

function under(name: string, inner: Step): Step {
  return { ...inner, branch: inner.branch === '' ? name : `${name}, ${inner.branch}` }
}

function combine(
  parts: readonly { readonly ending: Ending; readonly share: number; readonly name: string }[],
  noun: string,
): Ending {
  const [first] = parts
  if (first === undefined) return unknown('there is nothing to send it to')
  if (parts.length === 1) return first.ending
  const bad = parts.filter(({ ending }) => ending.outcome === 'fails' || ending.outcome === 'partly')
  const [worst] = bad
  if (worst === undefined) return (parts.find(({ ending }) => ending.outcome === 'unknown') ?? first).ending
  const isWhole = bad.length === parts.length && bad.every(({ ending }) => ending.outcome === 'fails')
  if (isWhole) return worst.ending
  const total = parts.reduce((sum, { share }) => sum + share, 0)
  const lost = bad.reduce((sum, { share }) => sum + share, 0)
  const { sees, why, by } = worst.ending
  const names = bad.length === 1 ? worst.name : `${worst.name} and others`
  return { outcome: 'partly', sees, why: `${percent(lost, total)} of the ${noun} (${names}): ${why}`, by }
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`
}
