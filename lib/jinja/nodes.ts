/** The syntax tree of a template. `line` counts from 1. */

export type Expression = { line: number } & (
  | { type: 'constant'; value: null | boolean | number | string }
  | { type: 'float'; value: number }
  | { type: 'name'; name: string }
  | { type: 'list'; items: Expression[]; tuple: boolean }
  | { type: 'dict'; entries: [key: Expression, value: Expression][] }
  | { type: 'not'; operand: Expression }
  | { type: 'unary'; operator: '-' | '+'; operand: Expression }
  | { type: 'binary'; operator: string; left: Expression; right: Expression }
  | { type: 'logical'; operator: 'and' | 'or'; left: Expression; right: Expression }
  | { type: 'compare'; first: Expression; rest: { operator: string; operand: Expression }[] }
  | { type: 'concat'; parts: Expression[] }
  | { type: 'condition'; test: Expression; chosen: Expression; otherwise: Expression | null }
  | { type: 'attribute'; object: Expression; name: string }
  | { type: 'item'; object: Expression; key: Expression }
  | { type: 'slice'; object: Expression; bounds: [Expression | null, Expression | null, Expression | null] }
  | { type: 'call'; callee: Expression; args: CallArguments }
  | Filter
  | { type: 'test'; name: string; operand: Expression; args: CallArguments }
)

/** `operand` is null where a block is filtered. */
export type Filter = { type: 'filter'; name: string; operand: Expression | null; args: CallArguments; line: number }

export interface CallArguments {
  positional: { value: Expression; spread: boolean }[]
  /** A name, or null before `**` and a dict. */
  named: { name: string | null; value: Expression }[]
}

export type Target =
  | { type: 'name'; name: string }
  | { type: 'attribute'; object: string; name: string }
  | { type: 'tuple'; items: Target[] }

export interface Parameters {
  names: string[]
  /** Of the last names. */
  defaults: Expression[]
}

export type Statement = { line: number } & (
  | { type: 'data'; text: string }
  | { type: 'output'; value: Expression }
  | { type: 'if'; branches: { test: Expression; body: Statement[] }[]; otherwise: Statement[] }
  | {
      type: 'for'
      target: Target
      sequence: Expression
      test: Expression | null
      recursive: boolean
      body: Statement[]
      otherwise: Statement[]
    }
  | { type: 'set'; target: Target; value: Expression }
  | { type: 'setBlock'; target: Target; filter: Filter | null; body: Statement[] }
  | { type: 'macro'; name: string; parameters: Parameters; body: Statement[] }
  | { type: 'callBlock'; call: Expression; parameters: Parameters; body: Statement[] }
  | { type: 'filterBlock'; filter: Filter; body: Statement[] }
  | { type: 'with'; bindings: { target: Target; value: Expression }[]; body: Statement[] }
  /** What only groups: `block`, `generation`, `autoescape`. */
  | { type: 'group'; body: Statement[] }
  | { type: 'break' }
  | { type: 'continue' }
)
