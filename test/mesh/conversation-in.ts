import { objectName, type Decider, type Topic } from '../../src/mesh/conversation/step.ts'
import { conversationOf, type Conversation } from '../../src/mesh/conversation.ts'
import { parseRequest } from '../../src/mesh/request.ts'
import type { MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { allWorkloads } from '../../src/mesh/workloads.ts'

/** Who asks whom for what; what a test leaves out is `shop/web`, `cart:80` and `GET /`. */
export interface Asked {
  readonly to?: string
  readonly client?: string
  readonly request?: Parameters<typeof parseRequest>[0]
}

/** A conversation of a mesh. */
export function converseIn(mesh: MeshSnapshot, asked: Asked = {}): Conversation {
  const { to = 'cart:80', client = 'shop/web', request = {} } = asked
  const [host = '', port = ''] = to.split(':')
  const found = allWorkloads(mesh).find(({ namespace, name }) => `${namespace}/${name}` === client)
  const parsed = parseRequest(request)
  if (found === undefined || parsed === undefined) throw new Error(`no ${client}`)
  return conversationOf(mesh, { client: found, host, port: Number(port), request: parsed })
}

/** How a call ends, and what decides that. */
export function verdictIn(mesh: MeshSnapshot, asked?: Asked): string {
  const { outcome, sees, why, by } = converseIn(mesh, asked).verdict
  return `${outcome}: ${sees}; ${why}${deciderText(by)}`
}

/** The answers to one question on the way. */
export function answersIn(mesh: MeshSnapshot, topic: Topic, asked?: Asked): readonly string[] {
  return converseIn(mesh, asked)
    .steps.filter((step) => step.topic === topic)
    .map(({ text, by, branch }) => `${branch === '' ? '' : `[${branch}] `}${text}${deciderText(by)}`)
}

function deciderText(by: Decider | undefined): string {
  return by === undefined ? '' : ` — ${objectName(by.object)} ${by.field}`
}
