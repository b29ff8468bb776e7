/** The chat templates of a checkpoint: a file of their own since transformers 4.52, a key before, or both. */
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { invalid } from './failure.js'
import type { Metadata } from './gguf.js'
import { readJson, readText, type Section, string } from './json.js'

/** `tokenizer.chat_template`, and those with a name as `tokenizer.chat_template.NAME`. @throws {Z1Error} MODEL_INVALID */
export async function chatTemplateMetadata(folder: string, tokenizerConfig: Section): Promise<Metadata> {
  const templates = ofConfig(tokenizerConfig)
  for (const [name, text] of await ofFiles(folder)) {
    const other = templates.get(name)
    // transformers takes the file, llama.cpp's converter the key. A newline at the end of the file belongs to neither.
    if (other !== undefined && other.trimEnd() !== text.trimEnd()) {
      throw invalid(
        tokenizerConfig.path,
        `its chat template ${name} is another one than the file's; remove one of them`,
      )
    }
    if (other === undefined) templates.set(name, text)
  }

  const metadata: Metadata = new Map()
  const named = [...templates].filter(([name]) => name !== DEFAULT)
  for (const [name, value] of named) metadata.set(`tokenizer.chat_template.${name}`, { type: 'string', value })
  if (named.length > 0) {
    metadata.set('tokenizer.chat_templates', { type: 'string', value: named.map(([name]) => name) })
  }
  const value = templates.get(DEFAULT)
  if (value !== undefined) metadata.set('tokenizer.chat_template', { type: 'string', value })
  return metadata
}

const DEFAULT = 'default'

function ofConfig(tokenizerConfig: Section): Map<string, string> {
  const value = tokenizerConfig.get('chat_template')
  if (value === undefined) return new Map()
  if (!Array.isArray(value)) return new Map([[DEFAULT, tokenizerConfig.read('chat_template', string)]])
  return new Map(
    tokenizerConfig.sections('chat_template').map((template) => {
      return [plainName(template.read('name', string)), template.read('template', string)]
    }),
  )
}

async function ofFiles(folder: string): Promise<Map<string, string>> {
  const templates = new Map<string, string>()
  const text = await readText(join(folder, 'chat_template.jinja'))
  if (text !== undefined) templates.set(DEFAULT, text)
  const json = await readJson(join(folder, 'chat_template.json'))
  if (text === undefined && json) templates.set(DEFAULT, json.read('chat_template', string))

  const additional = join(folder, 'additional_chat_templates')
  const files = await readdir(additional).catch(() => [])
  for (const file of files.filter((name) => name.endsWith('.jinja')).sort()) {
    const content = await readText(join(additional, file))
    if (content !== undefined) templates.set(plainName(basename(file, '.jinja')), content)
  }
  return templates
}

/** As gguf_writer.py: names become part of a key. */
function plainName(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, '_')
}
