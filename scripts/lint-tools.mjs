// npm run lint:tools: the form of what Biome does not read. C++ by clang-format, Python by ruff, both at a fixed version from
// PyPI, in a virtual environment of their own (out/tools).
//
//   node scripts/lint-tools.mjs            reports what is not in form
//   node scripts/lint-tools.mjs --write    brings it into form
//   node scripts/lint-tools.mjs pytest     the tests of training/ that need no PyTorch
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv, platform } from 'node:process'
import { capture, root, run, ScriptError, script } from './common.mjs'

const venv = join(root, 'out', 'tools')
const bin = join(venv, platform === 'win32' ? 'Scripts' : 'bin')

// The version of ruff is that of training/pyproject.toml.
const [ruff] = /ruff==[\d.]+/.exec(readFileSync(join(root, 'training', 'pyproject.toml'), 'utf8')) ?? []
const packages = ['clang-format==19.1.7', ruff, 'pytest==9.0.2', 'pyyaml==6.0.3']

/** Makes the environment, if it is not there with these versions. */
function prepare() {
  if (!ruff) throw new ScriptError('training/pyproject.toml pins no ruff==…')
  const stamp = join(venv, 'packages.txt')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === packages.join('\n')) return
  rmSync(venv, { recursive: true, force: true })
  // On Debian: apt-get install python3-venv.
  run('python3', ['-m', 'venv', venv])
  run(join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages])
  writeFileSync(stamp, packages.join('\n'))
}

function tracked(...patterns) {
  return capture('git', ['ls-files', '--', ...patterns])
    .split('\n')
    .filter(Boolean)
}

function lint(write) {
  run(join(bin, 'clang-format'), [
    ...(write ? ['-i'] : ['--dry-run', '--Werror']),
    ...tracked('native/**/*.cpp', 'native/**/*.h', 'native/*.h', 'test/native/*.cpp', 'test/native/*.h'),
  ])
  const python = ['--config', 'training/pyproject.toml', 'training', 'test/convert/oracle.py']
  run(join(bin, 'ruff'), ['check', '--quiet', ...(write ? ['--fix'] : []), ...python])
  run(join(bin, 'ruff'), ['format', '--quiet', ...(write ? [] : ['--check']), ...python])
}

script(() => {
  prepare()
  if (argv[2] === 'pytest') run(join(bin, 'python'), ['-m', 'pytest', '-q', '-rs'], { cwd: join(root, 'training') })
  else lint(argv[2] === '--write')
})
