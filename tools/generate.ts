import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { generatedFiles } from './generated-files.ts'

// `npm run generate`: writes every generated file anew.
process.chdir(join(import.meta.dirname, '..'))
for (const { path, text } of generatedFiles()) writeFileSync(path, text)
