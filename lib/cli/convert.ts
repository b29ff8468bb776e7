/** `z1 convert`: a GGUF file from a checkpoint in Hugging Face's layout. */
import { convert } from '../convert/index.js'
import { integer, text } from './args.js'
import { defineCommand } from './command.js'
import { modelOptions, typeOption } from './groups.js'
import { runInterruptible, showFraction } from './progress.js'
import { bytes, count } from './table.js'
import { print } from './terminal.js'

export const command = defineCommand({
  usage: 'z1 convert [options] FOLDER',
  about: `  FOLDER holds config.json, tokenizer.json and *.safetensors of a Qwen2 model,
  or a LoRA adapter of one:
  adapter_config.json and adapter_model.safetensors.`,
  operands: { min: 1, max: 1, expected: 'one folder' },
  options: {
    base: text({
      value: 'FOLDER',
      help: 'with config.json of the model that an adapter was made for',
      default: 'what it names',
    }),
    output: text({ value: 'FILE', help: 'the GGUF file', default: "beside the folder, with its name and the type's" }),
    type: { ...typeOption, default: 'what the folder has' },
    thinkingWindow: integer(0, {
      value: 'N',
      help: 'tokens of thinking that the file gives as its window, for a model trained by this method',
      default: 'none',
    }),
    threads: { ...modelOptions.threads, help: 'threads that quantize' },
  },
  async run(options, [model]) {
    const result = await runInterruptible(
      ({ signal, show }) =>
        convert({ ...options, model: model as string, signal, onProgress: showFraction('converting', show) }),
      () => ': nothing was written',
    )
    if (!result) return
    const { path, type, size, parameters } = result
    print(`${path}: ${count(parameters)} parameters, ${type}, ${bytes(size)}\n`)
  },
})
