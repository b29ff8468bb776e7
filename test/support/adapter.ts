/** LoRA adapters with random weights for the models of models.ts. Knows GGUF files, and how llama.cpp names an adapter's tensors. */
import { join } from 'node:path'
import { type Metadata, readGguf, type TensorSource, type TensorType, writeGguf } from './gguf.js'
import { Random } from './random.js'

export interface AdapterOptions {
  seed?: number
  rank?: number
  alpha?: number
  type?: TensorType
  /** Names of the model's tensors that it changes. Default: all matrices of the layers. */
  tensors?: string[]
  metadata?: Metadata
  /** Changes what is written. */
  edit?: (tensors: TensorSource[]) => TensorSource[]
}

/** Writes an adapter of a model's file, and gives its path. Its matrices are as long as those of the models: what it adds counts. */
export function testAdapter(folder: string, name: string, model: string, options: AdapterOptions = {}): string {
  const { seed = 1, rank = 4, alpha = 8, type = 'F32' } = options
  const gguf = readGguf(model)
  const {
    tensors = gguf.tensors.map((tensor) => tensor.name).filter((one) => /^blk\..*(attn|ffn)_\w+\.weight$/.test(one)),
  } = options
  const metadata: Metadata = new Map([
    ['general.type', { type: 'string', value: 'adapter' }],
    ['general.architecture', gguf.metadata.get('general.architecture') ?? { type: 'string', value: 'none' }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    ['adapter.lora.alpha', { type: 'float32', value: alpha }],
    ...(options.metadata ?? []),
  ])
  const pairs = tensors.flatMap((tensor) => {
    const shape = gguf.tensors.find((one) => one.name === tensor)?.shape ?? [32, 32]
    if (shape.length < 2) return []
    const [input, output] = shape as [number, number]
    return [
      matrix(`${tensor}.lora_a`, [input, rank], 1 / Math.sqrt(input), type, seed),
      matrix(`${tensor}.lora_b`, [rank, output], 1 / Math.sqrt(rank), type, seed),
    ]
  })
  const path = join(folder, name)
  writeGguf(path, metadata, options.edit ? options.edit(pairs) : pairs)
  return path
}

function matrix(
  name: string,
  shape: [number, number],
  deviation: number,
  type: TensorType,
  seed: number,
): TensorSource {
  const random = new Random(seed, name)
  return { name, shape, type, fill: (values) => random.fillNormal(values, deviation) }
}
