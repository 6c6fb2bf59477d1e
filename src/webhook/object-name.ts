import type { ObjectRef } from '../kube/object.ts'
import { oneLine } from './one-line.ts'

/** What people call an object: `PeerAuthentication shop/default`, `Namespace shop`. */
export function objectName({ kind, namespace, name }: Omit<ObjectRef, 'apiVersion'>): string {
  return oneLine(`${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`)
}
