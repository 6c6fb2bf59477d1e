/** Code points of a text: what CEL's sizes and positions count. A surrogate without its other half is one. */
export function codePointsIn(text: string): number {
  let count = text.length
  for (let at = 1; at < text.length; at += 1) if (isPair(text, at)) count -= 1
  return count
}

/** Bytes of a text in UTF-8, as Go keeps it. */
export function bytesIn(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    // Of a pair, which takes four bytes, the first half counts three.
    count += unit < 0x80 ? 1 : unit < 0x800 ? 2 : isPair(text, at) ? 1 : 3
  }
  return count
}

/** Do the units before a place and at it make one code point? */
function isPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
}
