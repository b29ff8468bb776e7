/** What is rendered by both: published templates with conversations, and snippets of what templates may write. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TemplateError } from '../../lib/jinja/budget.js'
import { type JsonValue, toValue } from '../../lib/jinja/convert.js'
import { Template } from '../../lib/jinja/template.js'

export interface Case {
  name: string
  source: string
  variables: Record<string, JsonValue>
}

const here = fileURLToPath(new URL('.', import.meta.url))
const read = (name: string) => JSON.parse(readFileSync(join(here, name), 'utf8'))

/** llama.cpp's collection; its checkout may be another's, without it. */
export const templates = join(process.env.LLAMA_CPP_DIR ?? join(here, '../../out/llama.cpp'), 'models/templates')
export const missing = existsSync(templates) ? undefined : `there is no ${templates}`

const { variables, tools, sources } = read('snippets.json')

export const snippetVariables: Case['variables'] = variables

export const snippets: Case[] = sources.map((source: string) => ({ name: source, source, variables }))

/** Each template with each conversation, plain, with a tool, and with a variable that many know. */
export function published(): Case[] {
  const conversations = Object.entries(read('conversations.json')) as [string, JsonValue][]
  return readdirSync(templates)
    .filter((file) => file.endsWith('.jinja'))
    .sort()
    .flatMap((file) => {
      const source = readFileSync(join(templates, file), 'utf8')
      return conversations.flatMap(([conversation, messages]) =>
        Object.entries(settings).map(([name, more]) => ({
          name: `${file} ${conversation} ${name}`,
          source,
          variables: { ...common, messages, ...more },
        })),
      )
    })
}

const settings: Record<string, Case['variables']> = { plain: {}, tool: { tools }, thinking: { enable_thinking: false } }
const common = { add_generation_prompt: true, bos_token: '<s>', eos_token: '</s>', tools: null, documents: null }

/** The text, or null for a failure. */
export function render({ source, variables: given }: Case): string | null {
  const size = { values: 0, characters: 0 }
  const values = Object.entries(given).map(([name, value]) => [name, toValue(value, 'input', size)] as const)
  try {
    return new Template(source).render(values, size, new Date(2025, 3, 2, 9, 5, 7)).value
  } catch (error) {
    if (error instanceof TemplateError) return null
    throw error
  }
}

/** What Python gives; null: it fails, too. Undefined where there is no Python with Jinja2. */
export function renderWithPython(cases: Case[]): (string | null)[] | undefined {
  const python = process.env.Z1_PYTHON ?? 'python3'
  if (spawnSync(python, ['-c', 'import jinja2']).status !== 0) return undefined
  const { status, stdout, stderr } = spawnSync(python, [join(here, 'oracle.py')], {
    input: JSON.stringify(cases.map(({ source, variables: given }) => ({ source, variables: given }))),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout).map(({ text }: { text?: string }) => text ?? null)
}

/** Short enough to keep thousands. */
export function digest(text: string | null): string | null {
  return text === null ? null : createHash('sha256').update(text).digest('hex').slice(0, 16)
}
