/**
 * Something given to Meshward that could not be judged. Places are 1-based; a file as a whole has none. The codes are
 * permanent; docs/errors.md has a section for each.
 */
export interface InputError {
  readonly code: string
  /** As it was given; `-` for standard input, empty where no file is at fault. */
  readonly file: string
  readonly document?: number
  readonly item?: number
  readonly line?: number
  readonly column?: number
  readonly message: string
}
