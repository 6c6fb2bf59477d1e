import type { ASTNode } from '@marcbachmann/cel-js'

/** Calls `visit` for a node and every node below it, as they are written: what macros make of them is not visited. */
export function walk(node: ASTNode, visit: (node: ASTNode) => void): void {
  visit(node)
  for (const child of childrenOf(node)) walk(child, visit)
}

/** The parts of a node, in order of evaluation. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return []
    case '.':
    case '.?':
      return [node.args[0]]
    case 'call':
      return node.args[1]
    case 'rcall':
      return [node.args[1], ...node.args[2]]
    case 'list':
      return node.args
    case 'map':
      return node.args.flat()
    case '!_':
    case '-_':
      return [node.args]
    default:
      // Nodes that only macros make stand for no part of the source.
      return Array.isArray(node.args) ? node.args.filter((part) => typeof part === 'object') : []
  }
}

/** How many nodes an expression has. */
export function countNodes(node: ASTNode): number {
  let count = 0
  walk(node, () => {
    count += 1
  })
  return count
}

/** How many levels of nodes an expression has. Does not recurse: whoever does asks first. */
export function depthOf(root: ASTNode): number {
  let level: readonly ASTNode[] = [root]
  let depth = 0
  while (level.length > 0) {
    depth += 1
    level = level.flatMap(childrenOf)
  }
  return depth
}

/** `mesh.virtualService.unreachable` for a chain of plain names; undefined for anything else. */
export function dottedName(node: ASTNode): string | undefined {
  if (node.op === 'id') return node.args
  if (node.op !== '.') return undefined
  const left = dottedName(node.args[0])
  return left === undefined ? undefined : `${left}.${node.args[1]}`
}
