/** Answers are kept for so many short texts; the field values of a mesh (`15s`, `5xx,reset`) repeat all the time. */
const MOST_TEXTS = 512
const LONGEST_TEXT = 64

/**
 * A function of a text that remembers its answers for short texts. When full it forgets them all, so that its memory
 * is bounded whatever texts come. Errors are not remembered.
 */
export function remembering<T>(answer: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    if (text.length > LONGEST_TEXT) return answer(text)
    const found = known.get(text)
    if (found !== undefined) return found
    const value = answer(text)
    if (known.size >= MOST_TEXTS) known.clear()
    known.set(text, value)
    return value
  }
}
