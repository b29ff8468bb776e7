/** `z1 convert`: a GGUF file from a checkpoint in Hugging Face's layout. */
import { convert as convertModel } from '../convert/index.js'
import { FILE_TYPE_NAMES, type FileType } from '../convert/types.js'
import { Misuse, numberOf, readArgs } from './args.js'
import { runInterruptible, showFraction } from './progress.js'
import { bytes, count } from './table.js'

const USAGE = `z1 convert [options] FOLDER

  FOLDER holds config.json, tokenizer.json and *.safetensors of a Qwen2 model.

  --output FILE    the GGUF file (default: beside the folder, with its name and the type's)
  --type TYPE      ${typesHelp()}
                   (default: what the folder has)
  --threads N      threads that quantise (default: the physical cores)
`

/** The names in lines of the usage. */
export function typesHelp(): string {
  const half = Math.ceil(FILE_TYPE_NAMES.length / 2)
  return `${FILE_TYPE_NAMES.slice(0, half).join(', ')},\n${' '.repeat(19)}${FILE_TYPE_NAMES.slice(half).join(', ')}`
}

export async function convert(args: string[]): Promise<void> {
  const options = { output: { type: 'string' }, type: { type: 'string' }, threads: { type: 'string' } } as const
  const parsed = readArgs(args, options, USAGE)
  if (!parsed) return
  const { values, positionals } = parsed
  if (positionals.length !== 1) throw new Misuse('Expected one folder', USAGE)
  const result = await runInterruptible(
    ({ signal, show }) =>
      convertModel({
        signal,
        onProgress: showFraction('converting', show),
        model: positionals[0] as string,
        output: values.output,
        type: values.type?.toLowerCase() as FileType | undefined,
        threads: numberOf(values.threads, 'threads'),
      }),
    () => ': nothing was written',
  )
  if (!result) return
  const { path, type, size, parameters } = result
  process.stdout.write(`${path}: ${count(parameters)} parameters, ${type}, ${bytes(size)}\n`)
}
