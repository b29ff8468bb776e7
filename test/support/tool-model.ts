/** A model that calls tools, whose tokens are known before it runs, and the templates of models that people have. */
import { readFileSync } from 'node:fs'
import { Z1 } from '../../lib/index.js'
import { END, type TableOptions, tableModel } from './table-model.js'

export const callTags = ['<tool_call>', '</tool_call>']

/** Says ` so`, calls with P for every string, and ends. Where it may not call, it ends at once. */
export const callRows: TableOptions['rows'] = {
  '\n': { ' so': 9, '<tool_call>': 8, '</tool_call>': 8 },
  ' so': { '<tool_call>': 2, [END]: 1 },
  '<tool_call>': '\n',
  // Where no P may follow, the object goes on or ends.
  '"': { P: 9, ':': 8, '}': 7 },
  ':': '"',
  '{': '"',
  P: '"',
  '</tool_call>': END,
}

export function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/templates/${name}.jinja`, import.meta.url), 'utf8')
}

export async function loadCaller(folder: string, name: string, options: Partial<TableOptions> = {}): Promise<Z1> {
  const model = tableModel(folder, name, {
    rows: callRows,
    rest: -10,
    template: fixture('qwen2.5'),
    extraTokens: [...callTags, ' so'],
    ...options,
  })
  return Z1.load({ model, contextSize: 3072, threads: 1, engine: 'cpu' })
}
