// npm run test:fuzz: the test of test/fuzz/ on more files, of other seeds. Prints how often each outcome came; a file that
// failed is kept in out/fuzz/, and --from with --files 1 makes it again.
//
//   npm run test:fuzz -- [--seed 2] [--files 1000] [--from 0] [--engine DIRECTORY]
//
// With an engine that was built with a sanitizer, LD_PRELOAD its runtime: what it prints is a failure.
import { join } from 'node:path'
import { argv, execPath } from 'node:process'
import { parseArgs } from 'node:util'
import { buildAddon, buildLibrary } from './build.mjs'
import { attempt, root, script } from './common.mjs'

script(() => {
  const { values } = parseArgs({
    args: argv.slice(2),
    options: {
      seed: { type: 'string', default: '2' },
      files: { type: 'string', default: '1000' },
      from: { type: 'string', default: '0' },
      engine: { type: 'string', default: 'cpu' },
    },
  })
  buildAddon()
  buildLibrary()
  const env = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`Z1_FUZZ_${name.toUpperCase()}`, value]),
  )
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  process.exitCode = attempt(execPath, [vitest, 'run', 'test/fuzz'], { env })
})
