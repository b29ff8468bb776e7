/** Who may write an output: one process at a time, and after a killed one the next. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Lock } from '../../lib/base/lock.js'
import { temporaryFolder } from '../support/folder.js'

const path = temporaryFolder()
const lock = new URL('../../dist/base/lock.js', import.meta.url).href

let count = 0
function target(): { file: string; names: () => string[] } {
  const folder = path(`${count++}`)
  mkdirSync(folder)
  return { file: `${folder}/out.jsonl`, names: () => readdirSync(folder) }
}

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A process that takes the lock, says so or why not, and then waits. */
async function holder(file: string): Promise<{ child: ChildProcess; said: string }> {
  const program = `
    import { Lock } from ${JSON.stringify(lock)}
    const said = await Lock.take(${JSON.stringify(file)}).then(() => 'taken', ({ message }) => message)
    process.stdout.write(said)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [said] = await once(child.stdout as NodeJS.ReadableStream, 'data')
  return { child, said: String(said) }
}

describe('a lock', () => {
  it('is there for its scope, and free afterwards', async () => {
    const { file, names } = target()
    {
      await using _ = await Lock.take(file)
      expect(names()).toHaveLength(1)
      await expect(Lock.take(file)).rejects.toThrow(`${file} is being written by another run of this process`)
    }
    expect(names()).toEqual([])
    await (await Lock.take(file))[Symbol.asyncDispose]()
  })

  it('is refused while another process has it, and free once that was killed', async () => {
    const { file, names } = target()
    const { child, said } = await holder(file)
    expect(said).toBe('taken')
    await expect(Lock.take(file)).rejects.toThrow(`${file} is being written by process ${child.pid}: wait for it`)
    expect(names()).toHaveLength(1)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(names()).toHaveLength(1)
    await using _ = await Lock.take(file)
    expect(names()).toEqual([expect.stringContaining(`-${process.pid}-`)])
  })

  it('goes to one of several that begin at once', async () => {
    const { file } = target()
    const said = (await Promise.all([1, 2, 3].map(() => holder(file)))).map(({ said }) => said)
    expect(said.filter((text) => text === 'taken')).toHaveLength(1)
    expect(said.filter((text) => text.startsWith(`${file} is being written by process `))).toHaveLength(2)
  })

  it.runIf(process.platform === 'linux')(
    'of a killed process is none, though its number was given out again',
    async () => {
      const { file, names } = target()
      await using _ = await Lock.take(file)
      const [own = ''] = names()
      // This very process's number, begun at another moment.
      const other = target()
      writeFileSync(join(dirname(other.file), own.replace(/-\d+\.lock$/, '-1.lock')), '')
      await using _second = await Lock.take(other.file)
      expect(other.names()).toEqual([own])
    },
  )

  it('of another machine counts until it has not been renewed for a minute', async () => {
    const { file, names } = target()
    const there = `${file}.${createHash('sha256').update('elsewhere').digest('hex').slice(0, 8)}-1-1.lock`
    writeFileSync(there, '')
    await expect(Lock.take(file)).rejects.toThrow(
      `on another machine or in another container: wait for it, or remove ${there}`,
    )
    const old = new Date(Date.now() - 61_000)
    utimesSync(there, old, old)
    await using _ = await Lock.take(file)
    expect(names()).toEqual([expect.stringContaining(`-${process.pid}-`)])
  })

  it('is not disturbed by files with names of another kind', async () => {
    const { file, names } = target()
    for (const name of ['out.jsonl.lock', 'out.jsonl.1-1.lock', 'other.jsonl.01234567-1-1.lock']) {
      writeFileSync(file.replace(/[^/]+$/, name), '')
    }
    await (await Lock.take(file))[Symbol.asyncDispose]()
    expect(names().sort()).toEqual(['other.jsonl.01234567-1-1.lock', 'out.jsonl.1-1.lock', 'out.jsonl.lock'])
  })

  it('needs a folder', async () => {
    const file = path('no', 'such')
    await expect(Lock.take(file)).rejects.toThrow(`Cannot write ${file}: ENOENT`)
  })
})
