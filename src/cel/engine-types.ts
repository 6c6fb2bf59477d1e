import type { ASTNode } from '@marcbachmann/cel-js'

import { walk } from './ast.ts'
import { engineType, type Type } from './check/type.ts'
import { checkAs } from './engine-nodes.ts'

/**
 * Has the engine take each part of an expression for what the check found it to be. So it refuses nothing that the check
 * takes, and what is not known before, or may be null, it looks up when the expression is evaluated. Names it knows itself.
 */
export function imposeTypes(root: ASTNode, typeOf: (node: ASTNode) => Type): void {
  walk(root, (node) => {
    if (node.op !== 'id') checkAs(node, engineType(typeOf(node)))
  })
}
