/** What a load is checked for once its engine or its model is known, before llama.cpp would fail at it, or end the process. */
import { stat } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { misuse } from '../base/checks.js'
import { Z1Error } from '../base/errors.js'
import type { CacheType, Device, EngineInfo, ModelMetadata } from '../native/binding.js'

/** What llama.cpp keeps of a cell beside its K and V (llama-kv-cells.h). */
const CELL_BYTES = 52

/** Values in a block of `q8_0` and `q4_0` (ggml-common.h, QK8_0, QK4_0). */
const BLOCK = 32

/**
 * A file with learned positions has no others: llama.cpp would end the process at the first one beyond. And what the
 * system lets a process allocate may be more than there is: it would be killed, or swap, when llama.cpp clears the cells.
 */
export function checkContext(
  size: number,
  sequences: number,
  metadata: ModelMetadata,
  devices: readonly Device[],
): void {
  if (metadata.positions > 0 && size > metadata.positions) {
    throw misuse(RangeError, `at most ${metadata.positions} (the positions that this model has)`, 'contextSize', size)
  }
  const needed = size * sequences * (metadata.kvBytesPerCell + (metadata.recurrent ? 0 : CELL_BYTES))
  // 0: no limit is known.
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity)
  const gpus = devices.filter(isGpu)
  const available = gpus.reduce((sum, { memoryTotal }) => sum + memoryTotal, memory)
  if (needed > available) {
    const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`
    throw new Z1Error(
      'OUT_OF_MEMORY',
      `Cannot make a context of ${sequences} × ${size} tokens: it needs at least ${gib(needed)}, ` +
        `and there are ${gib(available)} of memory`,
    )
  }
}

/**
 * A head is a whole number of blocks, or it could not be read alone.
 * @throws {Z1Error} MODEL_UNSUPPORTED.
 */
export function checkCacheType({ k, v }: CacheType, metadata: ModelMetadata, path: string): void {
  for (const [name, type, lengths] of [
    ['K', k, metadata.keyLengths],
    ['V', v, metadata.valueLengths],
  ] as const) {
    const odd = type === 'f16' ? undefined : lengths.find((length) => length % BLOCK !== 0)
    if (odd === undefined) continue
    throw new Z1Error(
      'MODEL_UNSUPPORTED',
      `${path} cannot have ${type} for ${name} in cacheType: its heads have ${odd} values, and ${type} needs a multiple of ${BLOCK}`,
    )
  }
}

/**
 * The devices that a load may use.
 * @param names Of GPUs; undefined: all.
 * @throws {RangeError} for one that the engine does not have; it lists those there are.
 */
export function devicesOf({ devices, directory }: EngineInfo, names: readonly string[] | undefined): Device[] {
  if (names === undefined) return devices
  const gpus = devices.filter(isGpu).map(({ name }) => name)
  const unknown = names.find((name) => !gpus.includes(name))
  if (unknown !== undefined) {
    const known = gpus.length > 0 ? `GPU devices (${gpus.join(', ')})` : `no names: ${directory} has no GPU device,`
    throw misuse(RangeError, known, 'devices', unknown)
  }
  return devices.filter((device) => !isGpu(device) || names.includes(device.name))
}

/** @throws {Z1Error} ADAPTER_INVALID where there is no file. What is in it is checked where it is read. */
export async function checkAdapterFile(path: string): Promise<void> {
  const facts = await stat(path).catch((cause: Error) => {
    throw new Z1Error('ADAPTER_INVALID', `No adapter at ${path}: ${cause.message}`, { cause })
  })
  if (facts.isFile()) return
  throw new Z1Error(
    'ADAPTER_INVALID',
    `${path} is not a file: an adapter is a GGUF file, which z1 convert makes of a folder`,
  )
}

function isGpu({ type }: Device): boolean {
  return type === 'gpu' || type === 'igpu'
}
