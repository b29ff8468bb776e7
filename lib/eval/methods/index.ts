/** All methods, by name. */
import { oneOf } from '../../base/checks.js'
import { budgetForcing } from './budget-forcing.js'
import { delimited } from './delimited.js'
import { direct } from './direct.js'
import type { MethodDefinition } from './method.js'
import { none } from './none.js'
import { unlimited } from './unlimited.js'
import { window } from './window.js'

const METHODS = [window, delimited, none, direct, unlimited, budgetForcing] as const satisfies MethodDefinition[]

export type Method = (typeof METHODS)[number]['name']

export const METHOD_NAMES = METHODS.map(({ name }) => name)

export const methodName = oneOf(METHOD_NAMES)

export function methodOf(name: Method): MethodDefinition {
  return METHODS.find((method) => method.name === name) as MethodDefinition
}
