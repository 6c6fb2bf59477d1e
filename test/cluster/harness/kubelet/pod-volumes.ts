import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { writeAtomically } from './atomic-writer.ts'
import { mayTakeIdentities } from './identity.ts'
import { volumeFiles, type VolumeContext } from './volume-files.ts'

/**
 * Makes the volumes of a pod in a folder, each in a subfolder of its name, or brings them up to date. Returns the path of
 * each. Rejects, with nothing lost, while something that a volume needs is missing.
 */
export async function writePodVolumes(folder: string, context: VolumeContext): Promise<ReadonlyMap<string, string>> {
  const { spec } = context.pod
  const group = mayTakeIdentities() ? spec?.securityContext?.fsGroup : undefined
  const paths = new Map<string, string>()
  for (const volume of spec?.volumes ?? []) {
    const path = volume.hostPath?.path ?? join(folder, volume.name)
    paths.set(volume.name, path)
    const files = await volumeFiles(volume, context)
    if (files !== undefined) writeAtomically(path, files, group)
    else if (volume.emptyDir !== undefined) makeEmptyDirectory(path, group)
    else if (volume.hostPath === undefined) throw new Error(`volume ${volume.name} is of a kind that is not supported`)
  }
  return paths
}

function makeEmptyDirectory(path: string, group: number | undefined): void {
  if (mkdirSync(path, { recursive: true }) === undefined) return
  if (group !== undefined) chownSync(path, 0, group)
  chmodSync(path, 0o777)
}
