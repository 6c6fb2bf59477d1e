/** Why a file or folder could not be read, and what to do about it, from what the file system said. */
export function readingProblem(error: unknown): { readonly code: 'FILE-01' | 'FILE-02'; readonly message: string } {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  switch (reason) {
    case 'ENOENT':
      return { code: 'FILE-01', message: 'there is no such file or folder; check the path' }
    case 'EACCES':
    case 'EPERM':
      return { code: 'FILE-02', message: 'you may not read this; give yourself read permission on it' }
    default:
      return { code: 'FILE-02', message: `this cannot be read (${reason}); check that it is a readable file` }
  }
}
