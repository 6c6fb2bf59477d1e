import { createServer, type ServerResponse } from 'node:http'

import { resourceOf } from '../../src/kube/resource-names.ts'
import { kindNameOf, splitKindName } from '../../src/mesh/kinds.ts'
import { generateMesh, type MeshSize } from '../generate-mesh.ts'
import { stored } from './stored.ts'

// A process that lists a mesh of the size of its argument page by page, as an API server does, so as not to disturb the one that reads.
// Its watches stay silent. It says where it listens once everything is ready to be sent.

const size: MeshSize = JSON.parse(process.argv[2] ?? '')
const objects = Map.groupBy(generateMesh(size), (object) => {
  const { group, kind } = splitKindName(kindNameOf(object))
  const { resource } = resourceOf(group, kind)
  return group === '' ? `/api/v1/${resource}` : `/apis/${object.apiVersion}/${resource}`
})
const items = new Map(
  [...objects].map(([path, list]) => [path, list.map((object) => JSON.stringify(stored(object, 1)))]),
)

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api')
  const [, , group, version] = pathname.split('/')
  const isGroup = pathname.startsWith('/apis/') && pathname.split('/').length <= 4
  if (isGroup && version === undefined) answerGroup(response, `${group}`)
  else if (isGroup) answerResources(response, `/apis/${group}/${version}/`)
  else if (searchParams.get('watch') === 'true') response.writeHead(200).flushHeaders()
  else answerPage(response, pathname, Number(searchParams.get('continue') ?? 0), Number(searchParams.get('limit')))
})
server.listen(0, '127.0.0.1', () => process.send?.(server.address()))

function answerGroup(response: ServerResponse, group: string): void {
  const path = [...items.keys()].find((each) => each.startsWith(`/apis/${group}/`))
  const [, , , version] = path?.split('/') ?? []
  if (version === undefined) return void response.writeHead(404).end('{}')
  const served = { groupVersion: `${group}/${version}` }
  response.end(JSON.stringify({ preferredVersion: served, versions: [served] }))
}

function answerResources(response: ServerResponse, prefix: string): void {
  const paths = [...items.keys()].filter((path) => path.startsWith(prefix))
  response.end(JSON.stringify({ resources: paths.map((path) => ({ name: path.slice(prefix.length) })) }))
}

function answerPage(response: ServerResponse, path: string, start: number, limit: number): void {
  const all = items.get(path) ?? []
  const more = start + limit < all.length ? { continue: String(start + limit) } : {}
  const metadata = JSON.stringify({ resourceVersion: '100', ...more })
  response.end(`{"items":[${all.slice(start, start + limit).join()}],"metadata":${metadata}}`)
}
