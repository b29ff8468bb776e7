/** How the options of a load are read that are more than a text or a number. What they mean is checked where they are used. */
import type { CacheTypeName } from '../native/model-params.js'
import type { LoadOptions } from '../reason/options.js'
import type { Option } from './args.js'

type Spec = Pick<Option<unknown>, 'value' | 'help' | 'default'>

/** `q8_0`, or `q8_0,f16` for K and V. */
export function cacheType(spec: Spec): Option<LoadOptions['cacheType']> {
  return {
    ...spec,
    read: (texts) => {
      const [k, v, ...more] = texts?.at(-1)?.toLowerCase().split(',') ?? []
      if (k === undefined) return undefined
      // The library's sentence for what is no type.
      const whole = more.length > 0 ? (texts?.at(-1) as CacheTypeName) : undefined
      return whole ?? (v === undefined ? (k as CacheTypeName) : { k: k as CacheTypeName, v: v as CacheTypeName })
    },
  }
}

/** `on`, `off`, or the library's word. */
export function onOff(spec: Spec): Option<'auto' | boolean | undefined> {
  const words: Record<string, boolean> = { on: true, off: false }
  return {
    ...spec,
    read: (texts) => {
      const word = texts?.at(-1)?.toLowerCase()
      return word === undefined ? undefined : (words[word] ?? (word as 'auto'))
    },
  }
}

/** `adapter.gguf:0.5`; without a number behind a colon all of it is the path. */
export function adapters(spec: Spec): Option<{ path: string; scale: number }[] | undefined> {
  return {
    ...spec,
    read: (texts) =>
      texts?.map((text) => {
        const [, path, scale] = /^(.+):([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i.exec(text) ?? []
        return { path: path ?? text, scale: scale === undefined ? 1 : Number(scale) }
      }),
  }
}
