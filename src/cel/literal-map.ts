import { UnsignedInt } from '@marcbachmann/cel-js/evaluator'

/**
 * The map that a literal makes. Its keys are found by any number that is equal, of whatever type: `{1u: 'a'}[1]`.
 * Source: cel-go `common/types/map.go`, refValMap.Find.
 */
export class LiteralMap extends Map<unknown, unknown> {
  /** Keys that are `uint`, by their values: to a Map each object is a key of its own. */
  private readonly unsigned = new Map<unknown, UnsignedInt>()

  override get(key: unknown): unknown {
    return super.get(this.known(key))
  }

  override has(key: unknown): boolean {
    return super.has(this.known(key))
  }

  override set(key: unknown, value: unknown): this {
    if (key instanceof UnsignedInt && !this.has(key)) this.unsigned.set(key.value, key)
    return super.set(this.known(key), value)
  }

  override delete(key: unknown): boolean {
    return super.delete(this.known(key))
  }

  private known(key: unknown): unknown {
    if (typeof key === 'string' || typeof key === 'boolean') return key
    const number = key instanceof UnsignedInt ? key.value : Number.isInteger(key) ? BigInt(Number(key)) : key
    return this.unsigned.get(number) ?? number
  }
}

// The engine tells types apart by their constructor; to it this one is a Map.
Object.defineProperty(LiteralMap.prototype, 'constructor', { value: Map })
