/** The shifted thinking window: no think tags, at the cut the hint, then the answer. */
import { hinted } from './hint.js'
import type { MethodDefinition } from './method.js'

export const window = {
  name: 'window',
  resolve: (options) => hinted(options, 'ban'),
} as const satisfies MethodDefinition
