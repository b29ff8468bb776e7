/** What methods, filters and tests are given beside their values. */
import type { Budget } from './budget.js'
import type { Arguments, Value } from './values.js'

export interface MethodTools {
  budget: Budget
}

export interface FilterTools extends MethodTools {
  /** Another filter, by name: `map('upper')`. */
  filter(name: string, value: Value, args: Arguments): Value
  /** A test, by name: `select('string')`. */
  test(name: string, value: Value, args: Arguments): boolean
}

export type Filter = (value: Value, args: Arguments, tools: FilterTools) => Value
