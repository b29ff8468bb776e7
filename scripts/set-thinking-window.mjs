// Writes z1.thinking_window into the header of a GGUF file: the window that its model gets when none is asked for. Tensors stay as
// they are. For files made before `z1 convert --thinking-window` was there.
//
//   node scripts/set-thinking-window.mjs FILE.gguf TOKENS
import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { ScriptError, script } from './common.mjs'

const KEY = 'z1.thinking_window'
const UINT32 = 4
const STRING = 8
const ARRAY = 9
const SIZES = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }

/** The parts of a version 3 file: key-value pairs, tensors' descriptions, and their data. */
function partsOf(bytes) {
  if (bytes.toString('latin1', 0, 4) !== 'GGUF' || bytes.readUInt32LE(4) !== 3)
    throw new ScriptError('Not GGUF version 3.')
  let at = 24
  const take = (size) => {
    at += size
    return at - size
  }
  const u64 = () => Number(bytes.readBigUInt64LE(take(8)))
  const u32 = () => bytes.readUInt32LE(take(4))
  const text = () => {
    const length = u64()
    const start = take(length)
    return bytes.toString('utf8', start, start + length)
  }
  const skip = (type) => {
    if (type === STRING) {
      text()
    } else if (type === ARRAY) {
      const each = u32()
      const count = u64()
      for (let i = 0; i < count; i++) skip(each)
    } else {
      take(SIZES[type])
    }
  }
  const pairs = []
  let alignment = 32
  for (let i = 0; i < Number(bytes.readBigUInt64LE(16)); i++) {
    const start = at
    const key = text()
    const type = u32()
    if (key === 'general.alignment') alignment = bytes.readUInt32LE(at)
    skip(type)
    pairs.push({ key, bytes: bytes.subarray(start, at) })
  }
  const tensors = at
  for (let i = 0; i < Number(bytes.readBigUInt64LE(8)); i++) {
    text()
    const dimensions = u32()
    take(8 * dimensions + 4 + 8)
  }
  const aligned = (position) => Math.ceil(position / alignment) * alignment
  return { pairs, tensors: bytes.subarray(tensors, at), data: bytes.subarray(aligned(at)), aligned }
}

script(() => {
  const [file, tokens] = argv.slice(2)
  if (file === undefined || !/^\d+$/.test(tokens ?? ''))
    throw new ScriptError('Expected a GGUF file and a number of tokens.')
  const bytes = readFileSync(file)
  const { pairs, tensors, data, aligned } = partsOf(bytes)
  const pair = Buffer.alloc(8 + KEY.length + 8)
  pair.writeBigUInt64LE(BigInt(KEY.length))
  pair.write(KEY, 8)
  pair.writeUInt32LE(UINT32, 8 + KEY.length)
  pair.writeUInt32LE(Number(tokens), 12 + KEY.length)
  const kept = pairs.filter(({ key }) => key !== KEY).map((each) => each.bytes)
  const head = Buffer.from(bytes.subarray(0, 24))
  head.writeBigUInt64LE(BigInt(kept.length + 1), 16)
  const header = Buffer.concat([head, ...kept, pair, tensors])
  writeFileSync(file, Buffer.concat([header, Buffer.alloc(aligned(header.length) - header.length), data]))
})
