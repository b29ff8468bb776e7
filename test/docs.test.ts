/**
 * What README and docs show works: every TypeScript example has the right types, the README's first one runs and gives what
 * its comments say, every `z1` command has options that exist, and every link leads somewhere, in an installed package too.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { readArgs } from '../lib/cli/args.js'
import type { Command } from '../lib/cli/command.js'
import { root as commands, type Group } from '../lib/cli/commands.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = [
  'README.md',
  'models/z1-mini.md',
  'training/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const read = (page: string) => readFileSync(join(root, page), 'utf8')

function blocks(page: string, language: string): string[] {
  return Array.from(
    read(page).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms')),
    ([, text]) => text as string,
  )
}

describe('TypeScript', () => {
  it('has the right types', () => {
    const files = new Map<string, string>()
    for (const page of pages) {
      for (const [i, text] of blocks(page, 'ts').entries()) {
        // A block that goes on with another's z1 or options says so by not declaring them.
        const lacks = (name: string, from: string, type: string) => {
          const uses = new RegExp(`\\b${name}\\b(?!-)`).test(text)
          const declares = new RegExp(`(?:const|using) ${name}\\b`).test(text)
          return uses && !declares ? `import type { ${type} } from '${from}'\ndeclare const ${name}: ${type}\n` : ''
        }
        files.set(
          join(root, `docs-${page.replace(/\W/g, '-')}-${i}.ts`),
          `${lacks('z1', 'z1-native', 'Z1')}${text}\nexport {}\n`,
        )
      }
    }
    expect(files.size).toBeGreaterThan(5)
    const options: ts.CompilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      paths: {
        'z1-native': [join(root, 'lib/index.ts')],
        'z1-native/data': [join(root, 'lib/data/index.ts')],
        'z1-native/convert': [join(root, 'lib/convert/index.ts')],
        'z1-native/eval': [join(root, 'lib/eval/index.ts')],
        'z1-native/hub': [join(root, 'lib/hub/index.ts')],
        'z1-native/server': [join(root, 'lib/server/index.ts')],
        'z1-native/ai-sdk': [join(root, 'lib/ai-sdk/index.ts')],
        'z1-native/electron': [join(root, 'lib/electron/index.ts')],
        'z1-native/electron/renderer': [join(root, 'lib/electron/renderer.ts')],
      },
    }
    const host = ts.createCompilerHost(options)
    const { fileExists, readFile, getSourceFile } = host
    host.fileExists = (name) => files.has(name) || fileExists(name)
    host.readFile = (name) => files.get(name) ?? readFile(name)
    host.getSourceFile = (name, version, ...rest) => {
      const text = files.get(name)
      return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version)
    }
    const program = ts.createProgram([...files.keys()], options, host)
    const wrong = [...files.keys()].flatMap((name) => {
      const source = program.getSourceFile(name)
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
        ({ messageText }) => `${name.slice(root.length)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      )
    })
    expect(wrong).toEqual([])
  })

  it("the README's first example prints what it says, on this Node", () => {
    const [example] = blocks('README.md', 'ts') as [string]
    const said = /\/\/ (3 \d+ self)/.exec(example)?.[1]
    // In the package's folder, where `z1-native` is itself; on one core, since other tests run beside it.
    const file = join(root, 'examples', `readme-${process.pid}.mjs`)
    writeFileSync(file, ts.transpileModule(example, { compilerOptions: { target: ts.ScriptTarget.ESNext } }).outputText)
    try {
      const command = process.platform === 'linux' ? ['taskset', '-c', '0', process.execPath] : [process.execPath]
      const [program = '', ...args] = [...command, file]
      const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8' })
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
      const [first, ...rest] = stdout.split('\n')
      expect(first).toBe(said)
      expect(rest.join('\n')).toContain('tokens, then:\n\nI overthought it')
    } finally {
      rmSync(file)
    }
  })
})

describe('commands', () => {
  const lines = pages.flatMap((page) =>
    blocks(page, 'sh')
      .join('\n')
      .replace(/ \\\n\s*/g, ' ')
      .split('\n')
      .filter((line) => /^npx z1 /.test(line))
      .map((line): [string, string] => [page, line]),
  )

  async function commandOf(group: Group, words: string[]): Promise<{ command: Command; args: string[] }> {
    const [name = '', ...args] = words
    const entry = group.commands[name]
    if (!entry && group.itself) return { command: (await group.itself()).command, args: words }
    if (!entry) throw new Error(`no command ${name}`)
    return typeof entry.load === 'function'
      ? { command: (await entry.load()).command, args }
      : commandOf(entry.load, args)
  }

  it.each(lines)('%s: %s', async (_page, line) => {
    const text = line.replace(/^npx z1 /, '').replace(/\s+[|<#].*$/, '')
    const words = Array.from(text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g), ([, a, b, c]) => a ?? b ?? (c as string))
    const { command, args } = await commandOf(commands, words)
    expect(() => readArgs(args, command.options)).not.toThrow()
  })

  it('are many', () => {
    expect(lines.length).toBeGreaterThan(15)
  })
})

describe('links', () => {
  const { files } = JSON.parse(read('package.json')) as { files: string[] }
  const installed = (path: string) =>
    path === 'README.md' || files.some((name) => path === name || path.startsWith(`${name}/`))

  it.each(pages)('of %s lead somewhere', (page) => {
    const text = read(page)
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      expect(existsSync(join(root, file)), `${page}: ${target}`).toBe(true)
      // What comes with the package links only to what comes with it.
      if (installed(page))
        expect(installed(file) ? '' : `${page} links to ${target}, which is not in the package`).toBe('')
      if (anchor === undefined) continue
      const anchors = Array.from(read(file).matchAll(/^#+ (.*)$/gm), ([, title]) =>
        (title as string)
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\s-]/gu, '')
          .replace(/\s/g, '-'),
      )
      expect(anchors, `${page}: ${target}`).toContain(anchor)
    }
  })
})
