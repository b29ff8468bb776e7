/** Chat templates and their variables, as commands are given them. */
import type { JsonValue } from '../jinja/convert.js'
import { repeated, text, UsageError, type Values } from './args.js'
import { readFileAs } from './files.js'

export const templateOptions = {
  chatTemplate: text({ value: 'FILE', help: "chat template in Jinja, in place of the model's" }),
  templateVariable: repeated({
    value: 'NAME=VALUE',
    help: 'variable of the template: JSON, or else a text; may be given more than once',
  }),
}

/** The options of the library. @throws {UsageError} for a file that cannot be read, and for variables of another form. */
export async function templateOf({ chatTemplate, templateVariable }: Values<typeof templateOptions>) {
  return {
    chatTemplate: chatTemplate === undefined ? undefined : await readFileAs('a chat template', chatTemplate),
    templateVariables: readVariables(templateVariable),
  }
}

function readVariables(given: readonly string[] | undefined): Record<string, JsonValue> | undefined {
  return given && Object.fromEntries(given.map(readVariable))
}

function readVariable(given: string): [name: string, value: JsonValue] {
  const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(given) ?? []
  if (name === undefined || value === undefined) {
    throw new UsageError(`Expected NAME=VALUE for --template-variable but received ${JSON.stringify(given)}`)
  }
  try {
    return [name, JSON.parse(value)]
  } catch {
    return [name, value]
  }
}
