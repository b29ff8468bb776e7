/** No thinking: the hint comes at once, and the answer after it. */
import { hinted } from './hint.js'
import type { MethodDefinition } from './method.js'

export const direct = {
  name: 'direct',
  windows: ['0'],
  resolve: (options) => hinted(options, 'ban'),
} as const satisfies MethodDefinition
