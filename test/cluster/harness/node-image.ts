import type { Image } from './kubelet/image.ts'

/** An image with nothing but the Node.js that runs the tests, and the machine's own shell and tools. */
export const nodeImage: Image = {
  files: { '/nodejs/bin/node': process.execPath },
  entrypoint: ['/nodejs/bin/node'],
  command: [],
  environment: {},
  workingDirectory: '/',
  user: 65_532,
}
