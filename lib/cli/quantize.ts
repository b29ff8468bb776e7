/** `z1 quantize`: a GGUF file with tensors of another type. */
import { quantize } from '../convert/index.js'
import { required } from './args.js'
import { defineCommand } from './command.js'
import { modelOptions, typeOption } from './groups.js'
import { runInterruptible, showFraction } from './progress.js'
import { bytes } from './table.js'
import { print } from './terminal.js'

export const command = defineCommand({
  usage: 'z1 quantize --type TYPE [--threads N] IN.gguf OUT.gguf',
  about: '  IN.gguf is of type f32, f16 or bf16.',
  operands: { min: 2, max: 2, expected: 'two files' },
  options: { type: required(typeOption), threads: modelOptions.threads },
  async run({ type, threads }, operands) {
    const [input, output] = operands as [string, string]
    const result = await runInterruptible(
      ({ signal, show }) =>
        quantize({ input, output, type, threads, signal, onProgress: showFraction('quantizing', show) }),
      () => ': nothing was written',
    )
    if (!result) return
    print(`${result.path}: ${result.type}, ${bytes(result.size)}\n`)
  },
})
