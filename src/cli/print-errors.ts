import type { InputError } from '../sources/input-error.ts'
import type { CliIo } from './cli-io.ts'

/** Errors as commentary, one line each: `pa.yaml:3:1: DOC-01: a tab indents this line; YAML allows spaces only`. */
export function printErrors(errors: readonly InputError[], io: CliIo): void {
  for (const error of errors) io.comment(errorLine(error))
}

function errorLine({ code, file, line, column, message }: InputError): string {
  const place = [file === '-' ? 'standard input' : file, line, column].filter(
    (part) => part !== undefined && part !== '',
  )
  return [...(place.length === 0 ? [] : [place.join(':')]), code, message].join(': ')
}
