/** `z1 quantize`: a GGUF file with tensors of another type. */
import { quantize as quantizeModel } from '../convert/index.js'
import type { FileType } from '../convert/types.js'
import { Misuse, numberOf, readArgs } from './args.js'
import { typesHelp } from './convert.js'
import { runInterruptible, showFraction } from './progress.js'
import { bytes } from './table.js'

const USAGE = `z1 quantize --type TYPE [--threads N] IN.gguf OUT.gguf

  IN.gguf is of type f32, f16 or bf16.

  --type TYPE      ${typesHelp()}
  --threads N      (default: the physical cores)
`

export async function quantize(args: string[]): Promise<void> {
  const parsed = readArgs(args, { type: { type: 'string' }, threads: { type: 'string' } }, USAGE)
  if (!parsed) return
  const { values, positionals } = parsed
  if (positionals.length !== 2) throw new Misuse('Expected two files', USAGE)
  if (values.type === undefined) throw new Misuse('Expected --type', USAGE)
  const [input, output] = positionals as [string, string]
  const result = await runInterruptible(
    ({ signal, show }) =>
      quantizeModel({
        signal,
        onProgress: showFraction('quantizing', show),
        input,
        output,
        type: values.type?.toLowerCase() as FileType,
        threads: numberOf(values.threads, 'threads'),
      }),
    () => ': nothing was written',
  )
  if (!result) return
  const { path, type, size } = result
  process.stdout.write(`${path}: ${type}, ${bytes(size)}\n`)
}
