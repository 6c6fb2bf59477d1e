import { parseArgs } from 'node:util'

import { generateMesh, LARGE_MESH, TENTH_OF_LARGE_MESH, type MeshSize } from './generate-mesh.ts'
import { measureDocuments } from './mesh/documents.ts'
import { measureFirstSync } from './mesh/first-sync.ts'
import { measureMemory } from './mesh/memory.ts'
import { buildMesh, measureQuestions } from './mesh/questions.ts'
import { costOfUnasked, measureReviews, shippedPolicies } from './mesh/reviews.ts'
import { compareRows } from './mesh/times.ts'
import { markdown } from './webhook/table.ts'

// What the model of a large mesh costs, as tables in Markdown; all of them, or those that are named.

const MEASUREMENTS: Readonly<Record<string, () => Promise<string> | string>> = {
  questions: async () => {
    const [large, tenth] = [await ask(LARGE_MESH), await ask(TENTH_OF_LARGE_MESH)]
    return `${large.told}\n\n${compareRows('question, ms (p99: the smaller of clock and processor time)', large.rows, tenth.rows)}`
  },
  reviews: async () => {
    const [large, tenth] = [await review(LARGE_MESH), await review(TENTH_OF_LARGE_MESH)]
    return compareRows('review, ms of processor time (p99: the smaller of clock and processor time)', large, tenth)
  },
  unasked: async () => {
    const { snapshot } = await buildMesh(generateMesh(LARGE_MESH))
    return `a review that no rule over the mesh is for costs ${costOfUnasked(snapshot).toFixed(2)} times what it costs without such rules`
  },
  sync: async () => {
    const { objects, seconds, longestTurn, longestWork } = await measureFirstSync(LARGE_MESH, shippedPolicies('all'))
    const blocks = `${longestTurn.toFixed(0)} ms on the clock, ${longestWork.toFixed(0)} ms of processor time`
    return `first sync: ${objects} objects in ${seconds.toFixed(1)} s; the longest turn of the event loop: ${blocks}`
  },
  memory: () => {
    const rows = measureMemory().map(({ held, ...cells }) => [
      held,
      ...Object.values(cells).map(Math.round).map(String),
    ])
    return markdown(['held', 'resident, MB', 'more than nothing', 'of the heap'], rows)
  },
  documents: async () => {
    const rows = (await measureDocuments(LARGE_MESH)).map(({ command, ...cells }) => [
      command,
      ...Object.values(cells).map((cell: number) => cell.toFixed(1)),
    ])
    return markdown(['command', 's', 's of processor time', 'MB at most', 'MB printed'], rows)
  },
}

const options = Object.fromEntries(Object.keys(MEASUREMENTS).map((name) => [name, { type: 'boolean' }] as const))
const { values } = parseArgs({ options })
for (const [name, measure] of Object.entries(MEASUREMENTS)) {
  if (Object.keys(values).length > 0 && values[name] !== true) continue
  console.log(`\n${await measure()}`)
}

async function ask(size: MeshSize) {
  const objects = [...generateMesh(size)]
  const { snapshot, total, longest } = await buildMesh(objects)
  const told = `${objects.length} objects, built in ${total.toFixed(0)} ms, no block over ${longest.toFixed(1)} ms`
  return { told, rows: measureQuestions(snapshot, objects, size) }
}

async function review(size: MeshSize) {
  const { snapshot } = await buildMesh(generateMesh(size))
  return measureReviews(snapshot, size.namespaces, shippedPolicies('all'))
}
