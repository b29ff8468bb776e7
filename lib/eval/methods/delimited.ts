/** Thinking between the model's own tags: the window counts inside them, and closes them by force after the hint. */
import { hinted } from './hint.js'
import type { MethodDefinition } from './method.js'

export const delimited = {
  name: 'delimited',
  resolve: (options) => hinted(options, 'keep'),
} as const satisfies MethodDefinition
