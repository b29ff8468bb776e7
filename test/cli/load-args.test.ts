/** How the options of a load are read from texts. */
import { expect, it } from 'vitest'
import { loadOptions } from '../../lib/cli/groups.js'

const { cacheType, flashAttention, devices, lora } = loadOptions

it.each([
  [cacheType, ['q8_0'], 'q8_0'],
  [cacheType, ['Q8_0,f16'], { k: 'q8_0', v: 'f16' }],
  // The library refuses it in its own sentence.
  [cacheType, ['f16,f16,f16'], 'f16,f16,f16'],
  [flashAttention, ['auto'], 'auto'],
  [flashAttention, ['on'], true],
  [flashAttention, ['off'], false],
  [flashAttention, ['1'], '1'],
  [devices, ['CUDA0', 'CUDA1'], ['CUDA0', 'CUDA1']],
  [lora, ['a.gguf'], [{ path: 'a.gguf', scale: 1 }]],
  [
    lora,
    ['a:b.gguf', 'c:\\d.gguf:-.5'],
    [
      { path: 'a:b.gguf', scale: 1 },
      { path: 'c:\\d.gguf', scale: -0.5 },
    ],
  ],
  [lora, ['a:2.5e-1'], [{ path: 'a', scale: 0.25 }]],
])('%# %j', (option, texts, expected) => {
  expect(option.read(texts, 'option')).toEqual(expected)
  expect(option.read(undefined, 'option')).toBeUndefined()
})
