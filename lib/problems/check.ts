/** Runs the Python programs of generated problems, and compares what they print with the answers. */
import { spawn } from 'node:child_process'
import type { GeneratedProblem } from './generate.js'

/** Reads JSON lines of programs and writes what each printed: one interpreter for all, since starting one takes longer. */
const RUNNER = `
import contextlib, io, json, sys
for line in sys.stdin:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(json.loads(line), {})
    print(json.dumps(out.getvalue().rstrip("\\n")), flush=True)
`

/**
 * @param python Command of the interpreter, 3.6 or newer.
 * @returns How many answers were compared.
 * @throws {Error} naming the first record whose answer is not what its program prints, or saying that Python cannot run.
 */
export async function checkProblems(problems: Iterable<GeneratedProblem>, python = 'python3'): Promise<number> {
  const checked = [...problems].filter(({ program }) => program !== null)
  const child = spawn(python, ['-c', RUNNER], { stdio: ['pipe', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  // A child that ended early is reported by its exit, with its own words.
  child.stdin.on('error', () => {})
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve)
    child.on('error', (error) => reject(new Error(`Cannot run ${python}: ${error.message}`)))
  })
  child.stdin.end(checked.map(({ program }) => `${JSON.stringify(program)}\n`).join(''))
  const code = await ended
  const printed = out.split('\n').filter(Boolean)
  for (const [i, { record, program }] of checked.entries()) {
    const line = printed[i]
    if (line === undefined)
      throw new Error(`${python} ended with code ${code} at ${record.id}: ${err.trim()}\n${program}`)
    const result = JSON.parse(line) as string
    if (result !== record.answer)
      throw new Error(`${record.id} says ${record.answer}, Python says ${result}:\n${program}`)
  }
  return checked.length
}
