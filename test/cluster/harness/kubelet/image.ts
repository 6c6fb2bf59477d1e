/** What stands in for a container image: files of this machine, beside its system directories (/usr, /lib, …). */
export interface Image {
  /** Folders and files by their path in the image. Nothing can be written to them. */
  readonly files: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly workingDirectory: string
  /** User and group id of its processes. */
  readonly user: number
}

/** Images by repository: `registry/name`, without a tag or digest. */
export type Images = Readonly<Record<string, Image>>

/** The image that a reference names, whatever its tag or digest. */
export function findImage(images: Images, reference: string): Image | undefined {
  const repository = reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  return images[repository]
}
