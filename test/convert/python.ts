/** Python with PyTorch and transformers, for the tests that compare with the originals. */
import { spawnSync } from 'node:child_process'

const python = process.env.Z1_PYTHON ?? 'python3'

/** Why these tests cannot run here; undefined if they can. */
export const missing = ((): string | undefined => {
  const { status, stderr, error } = spawnSync(python, ['-c', 'import torch, transformers'], { encoding: 'utf8' })
  if (error) return error.message
  return status === 0 ? undefined : `${python}: ${stderr.trim().split('\n').at(-1)}`
})()

/** Standard output of a Python program. */
export function runPython(args: string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(python, args, {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error' },
  })
  if (status !== 0) throw new Error(`${args.join(' ')} failed: ${stderr}`)
  return stdout
}
