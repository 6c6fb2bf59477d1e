/**
 * The text on one line, control characters and breaks as spaces: user values stand in messages, and neither a
 * terminal nor an HTTP warning header may take orders from them.
 */
export function oneLine(text: string): string {
  return UNPRINTABLE.test(text) ? text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, ' ').trim() : text
}

/** The text cut to `most` characters, with an ellipsis where something was cut off. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text
  const cut = text.slice(0, Math.max(0, most - 1))
  // Half of a surrogate pair is no character.
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}

// Format characters (Cf) include the bidirectional overrides that make a text read otherwise than it is.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/u
