/** Where the history is, and files that are none. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { platform } from 'node:process'
import { describe, expect, it } from 'vitest'
import { History, historyFile } from '../../../lib/cli/chat/history.js'
import { temporaryFolder } from '../../support/folder.js'

const folder = temporaryFolder()

describe.skipIf(platform === 'win32')('historyFile', () => {
  it.each([
    [{ XDG_STATE_HOME: '/state', HOME: '/home/me' }, '/state/z1/chat-history'],
    // The specification: a relative path is invalid and is to be ignored.
    [{ XDG_STATE_HOME: 'state', HOME: '/home/me' }, '/home/me/.local/state/z1/chat-history'],
    [{ HOME: '/home/me' }, '/home/me/.local/state/z1/chat-history'],
  ])('of %j is %s', (env, path) => {
    expect(historyFile(env, 'linux')).toBe(path)
  })
})

describe('History', () => {
  it('keeps neither blank lines, nor the same one twice in a row, nor very long ones', async () => {
    const path = folder('new', 'folder', 'history')
    const history = await History.open(path)
    for (const line of ['a', 'a', ' ', 'b', 'x'.repeat(4001), 'a']) await history.add(line)
    expect(history.entries).toEqual(['a', 'b', 'a'])
    expect(readFileSync(path, 'utf8')).toBe('a\nb\na\n')
    expect((await History.open(path)).entries).toEqual(['a', 'b', 'a'])
  })

  it('leaves out lines that a terminal would obey, and files that are not text', async () => {
    writeFileSync(folder('controls'), 'good\n\x1b[2Jbad\n')
    expect((await History.open(folder('controls'))).entries).toEqual(['good'])
    writeFileSync(folder('binary'), Buffer.from([0xff, 0xfe, 0x00]))
    expect((await History.open(folder('binary'))).entries).toEqual([])
  })

  it.skipIf(platform === 'win32')('makes a file that others could read its own', async () => {
    writeFileSync(folder('open'), 'a\n', { mode: 0o644 })
    await History.open(folder('open'))
    expect(statSync(folder('open')).mode & 0o777).toBe(0o600)
  })

  it.skipIf(platform === 'win32')('refuses what is no file, and does not wait for it', async () => {
    spawnSync('mkfifo', [folder('pipe')])
    mkdirSync(folder('directory'))
    for (const name of ['pipe', 'directory']) await expect(History.open(folder(name))).rejects.toThrow()
  })

  it('without a file keeps lines for this chat alone', async () => {
    const history = await History.open(null)
    await history.add('a')
    expect(history.entries).toEqual(['a'])
  })
})
